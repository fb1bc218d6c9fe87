"""What the parts of a server share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from unmuffle.serve.errors_http import ApiError
from unmuffle.serve.keys import KeyRing
from unmuffle.serve.limits import ClientLimits
from unmuffle.serve.metrics import ServerMetrics
from unmuffle.serve.settings import ServerSettings

if TYPE_CHECKING:
    from unmuffle.serve.file_work import FileWork
    from unmuffle.serve.stream_hub import StreamHub


MOST_REQUESTS = 1024
"""Of all clients at once, besides streams."""

REST_S = 5.0
"""What a stream may take to be answered to its end, and what else runs to tell that it has been given up."""


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
    ending : bool
        Whether what runs has had its time.
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
        self.ending = False
        self.started_s = time.monotonic()
        self._places = 2 * settings.capacity + MOST_REQUESTS
        self._requests = 0
        self._unfinished: list[Callable[[], int]] = [lambda: self._requests]
        self._wishes: list[Callable[[], None]] = []
        self._ends: list[Callable[[], None]] = []

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one of the places for requests and streams of all clients together, so that a crowd costs no more.

        Raises
        ------
        ApiError
            503 if all are taken.
        """
        if not self._places:
            raise ApiError(503, "more requests are running than the server takes: try again", retry_after_s=1.0)
        self._places -= 1
        try:
            yield
        finally:
            self._places += 1

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

    def on_end(self, give_up: Callable[[], None]) -> None:
        """Have a function called on the event loop when what runs has had its time: it is to end now, and say so."""
        self._ends.append(give_up)

    def wait_for(self, unfinished: Callable[[], int]) -> None:
        """Have the server wait, within ``drain_s``, until a function returns 0: so much is still being done."""
        self._unfinished.append(unfinished)

    async def drain(self) -> None:
        """Begin nothing more, give what runs ``drain_s`` to end, then end it: the streams with all their rest."""
        if self.draining:
            return
        self.draining = True
        for begin in self._wishes:
            begin()
        await self._until_done(self.settings.drain_s)
        self.ending = True
        for give_up in self._ends:
            give_up()
        self.hurry = False
        await self._until_done(REST_S)

    async def _until_done(self, limit_s: float) -> None:
        until_s = time.monotonic() + limit_s
        while time.monotonic() < until_s and not self.hurry:
            if not self.streams.count + sum(count() for count in self._unfinished):
                return
            await asyncio.sleep(0.02)

    def described(self) -> dict[str, Any]:
        """Return what /healthz tells."""
        return {"status": "draining" if self.draining else "ok", "seconds": round(time.monotonic() - self.started_s, 1)}
