"""The two ways to a client: through ASGI, which any server has, and past it, straight to uvicorn's transport.

The second saves a task switch and two system calls a message, of which there are a hundred a second and stream.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from unmuffle.serve.stream_session import StreamSession, give
from unmuffle.serve.wire import ABNORMAL

if TYPE_CHECKING:
    from unmuffle.serve.direct import DirectProtocol

_CLOSE = "unmuffle.close"


class AsgiWire:
    """A connection through ASGI.

    Parameters
    ----------
    websocket : WebSocket
        That has been accepted.
    """

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._outbox: deque[bytes | str] = deque()
        self._unsent_bytes = 0
        self._something = asyncio.Event()
        self._reading = asyncio.Event()
        self._reading.set()
        self._closing: tuple[int, str] | None = None
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    @property
    def unsent_bytes(self) -> int:
        """What ASGI has not taken yet."""
        return self._unsent_bytes

    def send(self, message: bytes | str) -> None:
        """Send a message."""
        if self._closing is None:
            self._outbox.append(message)
            self._unsent_bytes += len(message)
            self._something.set()

    def close(self, code: int, reason: str) -> None:
        """Send what is still to be sent, then close."""
        if self._closing is None:
            self._closing = (code, reason)
            self._something.set()

    def abort(self) -> None:
        """Close at once."""
        for task in self._tasks:
            task.cancel()

    def pause_reading(self) -> None:
        """Take nothing more from the client."""
        self._reading.clear()

    def resume_reading(self) -> None:
        """Go on."""
        self._reading.set()

    async def run(self, session: StreamSession) -> None:
        """Carry messages until either side closes."""
        self._tasks = (asyncio.create_task(self._write()), asyncio.create_task(self._read(session)))
        try:
            done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.abort()
            session.lost(ABNORMAL)
        for task in done:
            error = None if task.cancelled() else task.exception()
            if error is not None and not isinstance(error, (WebSocketDisconnect, ConnectionError)):
                raise error

    async def finish(self) -> None:
        """Send what is left of a stream that was never opened."""
        with suppress(WebSocketDisconnect, ConnectionError):
            await self._write()

    async def _write(self) -> None:
        while True:
            while self._outbox:
                message = self._outbox.popleft()
                if isinstance(message, str):
                    await self._websocket.send_text(message)
                else:
                    await self._websocket.send_bytes(message)
                self._unsent_bytes -= len(message)
            if self._closing is not None:
                await self._websocket.close(*self._closing)
                return
            self._something.clear()
            await self._something.wait()

    async def _read(self, session: StreamSession) -> None:
        while True:
            await self._reading.wait()
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                session.lost(message.get("code", ABNORMAL))
                return
            give(session, message)


class DirectWire:
    """A connection past ASGI.

    Parameters
    ----------
    websocket : WebSocket
        That has been accepted.
    protocol : DirectProtocol
        Its connection.
    slow_client_s : float
        How long its end may take.
    """

    def __init__(self, websocket: WebSocket, protocol: DirectProtocol, slow_client_s: float) -> None:
        self._websocket = websocket
        self._protocol = protocol
        self._slow_client_s = slow_client_s
        self._closing: tuple[int, str] | None = None

    @property
    def unsent_bytes(self) -> int:
        """What the system has not taken yet."""
        return self._protocol.transport.get_write_buffer_size()

    def send(self, message: bytes | str) -> None:
        """Send a message."""
        if self._closing is None:
            self._protocol.write_frame(message)

    def close(self, code: int, reason: str) -> None:
        """Send what is still to be sent, then close."""
        if self._closing is None:
            self._closing = (code, reason)
            queue: asyncio.Queue[Any] = self._protocol.queue
            queue.put_nowait({"type": _CLOSE})

    def abort(self) -> None:
        """Close at once."""
        self._protocol.transport.abort()

    def pause_reading(self) -> None:
        """Take nothing more from the client."""
        self._protocol.read_paused = True
        self._protocol.transport.pause_reading()

    def resume_reading(self) -> None:
        """Go on."""
        self._protocol.read_paused = False
        self._protocol.transport.resume_reading()

    async def run(self, session: StreamSession) -> None:
        """Wait until either side closes."""
        self._protocol.attach(session)
        message: Any = {}
        while message.get("type") not in (_CLOSE, "websocket.disconnect"):
            message = await self._protocol.queue.get()
        session.lost(message.get("code", ABNORMAL))
        if self._closing is not None and message["type"] == _CLOSE:
            await self.finish()

    async def finish(self) -> None:
        """Close a stream, or one that was never opened."""
        try:
            await asyncio.wait_for(self._websocket.close(*(self._closing or (ABNORMAL, ""))), self._slow_client_s)
        except asyncio.TimeoutError:
            self.abort()
        except (WebSocketDisconnect, ConnectionError):
            pass
