"""What the parts of a server share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from unmuffle.serve.keys import KeyRing
from unmuffle.serve.limits import ClientLimits
from unmuffle.serve.metrics import ServerMetrics
from unmuffle.serve.settings import ServerSettings

if TYPE_CHECKING:
    from unmuffle.serve.file_work import FileWork
    from unmuffle.serve.stream_hub import StreamHub


REST_S = 5.0
"""What a stream may take to be answered to its end."""


class ServerState:
    """One worker's state; ``request.app.state.server``, and the argument of each part's ``routes(state)``.

    Attributes
    ----------
    settings : ServerSettings
    limits : ClientLimits
    keys : KeyRing
    metrics : ServerMetrics
    streams : StreamHub
        The live streams and their pool; from the start of the server on.
    stack : AsyncExitStack
        What a part enters in its ``start(state)`` is left, in the opposite order, when the server stops.
    draining : bool
        Whether the server has been told to stop: nothing new is begun.
    hurry : bool
        Whether it was told twice, and waits no longer for what runs.
    """

    streams: StreamHub
    files: FileWork

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.limits = ClientLimits(settings)
        self.keys = KeyRing(settings.api_keys)
        self.metrics = ServerMetrics()
        self.stack = AsyncExitStack()
        self.draining = False
        self.hurry = False
        self.started_s = time.monotonic()
        self._requests = 0
        self._unfinished: list[Callable[[], int]] = [lambda: self._requests]
        self._wishes: list[Callable[[], None]] = []

    @contextmanager
    def running_request(self) -> Iterator[None]:
        """Count a request that a server which stops is to wait for."""
        self._requests += 1
        try:
            yield
        finally:
            self._requests -= 1

    def on_drain(self, begin: Callable[[], None]) -> None:
        """Have a function called on the event loop when the server is told to stop."""
        self._wishes.append(begin)

    def wait_for(self, unfinished: Callable[[], int]) -> None:
        """Have the server wait, within ``drain_s``, until a function returns 0: so much is still being done."""
        self._unfinished.append(unfinished)

    async def drain(self) -> None:
        """Begin nothing more, give what runs ``drain_s`` to end by itself, then end the streams with all their rest."""
        if self.draining:
            return
        self.draining = True
        for begin in self._wishes:
            begin()
        await self._until_done(self.settings.drain_s)
        self.streams.finish_all()
        self.hurry = False
        await self._until_done(REST_S, streams_only=True)

    async def _until_done(self, limit_s: float, *, streams_only: bool = False) -> None:
        until_s = time.monotonic() + limit_s
        while time.monotonic() < until_s and not self.hurry:
            others = 0 if streams_only else sum(count() for count in self._unfinished)
            if not self.streams.count + others:
                return
            await asyncio.sleep(0.02)

    def described(self) -> dict[str, Any]:
        """Return what /healthz tells."""
        return {"status": "draining" if self.draining else "ok", "seconds": round(time.monotonic() - self.started_s, 1)}
