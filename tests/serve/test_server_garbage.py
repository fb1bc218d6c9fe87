"""No stream is held up while Python looks for garbage in what was loaded to serve it."""

from __future__ import annotations

import asyncio
import gc
import socket

import pytest

from unmuffle.serve.server import DrainingServer, uvicorn_config
from unmuffle.serve.settings import ServerSettings


@pytest.fixture
def as_before():
    gc.unfreeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("as_before")
def test_what_is_loaded_is_not_looked_through_again():
    server = DrainingServer(*uvicorn_config(ServerSettings(port=0, drain_s=0.0)))
    looked_through = []

    async def serve_a_moment() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            while not server.started:
                await asyncio.sleep(0.01)
            looked_through.append(len(gc.get_objects()))
            server.should_exit = True
            await serving

    before = len(gc.get_objects())
    asyncio.run(serve_a_moment())
    assert looked_through[0] < 0.1 * before
    assert gc.get_freeze_count() > 0.9 * before
