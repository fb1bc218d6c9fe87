"""Live streams for asyncio."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from unmuffle.errors import UnmuffleError
from unmuffle.measure.extras import load_package
from unmuffle.serve.client_connection import (
    CLIENT,
    RECONNECT_PAUSE_S,
    RECONNECTS,
    check_end,
    how_closed,
    is_to_go_on,
    stream_url,
)
from unmuffle.serve.client_messages import MAX_MESSAGE_BYTES, Answer, ServerError, StreamMessages

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

MAX_ANSWERS_WAITING = 256


def connect_stream(
    url: str,
    sample_rate: int,
    channels: int = 1,
    *,
    format: str = "f32le",  # noqa: A002
    preset: str | None = None,
    strength: float = 1.0,
    key: str | None = None,
    reconnect: bool = True,
) -> AsyncStream:
    """Return a live stream for asyncio, to be entered with ``async with``.

    Parameters
    ----------
    url : str
        Of the server, such as ``http://127.0.0.1:8000``.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
    format : {"f32le", "s16le"}
        How samples travel.
    preset : str, optional
        A chain of stages instead of the denoiser alone.
    strength : float, default 1.0
        How much of the effect is heard, 0 to 1.
    key : str, optional
        API key.
    reconnect : bool, default True
        Whether, when a server stops, to go on with the next one: what was not answered is sent anew.

    Examples
    --------
    >>> async def clear(blocks):
    ...     async with connect_stream("http://127.0.0.1:8000", 16_000) as stream:
    ...         for block in blocks:
    ...             await stream.send(block)
    ...         await stream.finish()
    ...         return [block async for position, block in stream]
    """
    messages = StreamMessages(sample_rate, channels, format, preset, strength, key)
    return AsyncStream(url, messages, reconnect)


class AsyncStream:
    """A live stream for asyncio: send blocks, iterate over ``(position, block)``.

    One task may send while another one iterates. Answers that nobody takes make ``send`` wait in the end.

    Attributes
    ----------
    messages : StreamMessages
        How far the conversation has come.
    """

    def __init__(self, url: str, messages: StreamMessages, reconnect: bool) -> None:
        self.messages = messages
        self._url = stream_url(url)
        self._reconnect = reconnect
        self._answers: asyncio.Queue[Answer | Exception | None] = asyncio.Queue(MAX_ANSWERS_WAITING)
        self._asked: deque[asyncio.Future[dict[str, Any]]] = deque()
        self._finishing = self._ended = False
        self._sending = asyncio.Lock()
        self._stack = AsyncExitStack()
        self._connection: ClientConnection
        self._reading: asyncio.Task[None]

    async def __aenter__(self) -> AsyncStream:
        await self._connect()
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading
        await self._stack.aclose()

    @property
    def latency(self) -> int:
        """By how many samples answers are behind at most."""
        return self.messages.latency

    async def send(self, block: npt.ArrayLike) -> None:
        """Send a block, ``[n]`` or ``[channels, n]``: float (full scale 1.0) or int16, of any size.

        Raises
        ------
        InvalidAudioError
            If its shape or type is wrong.
        ServerError
            If the stream has ended.
        """
        async with self._sending:
            self._check_open()
            for message in self.messages.samples(block):
                await self._send(message)

    async def set_strength(self, strength: float) -> None:
        """Set how much of the effect is heard, from here on."""
        self.messages.strength = strength
        await self._control({"type": "strength", "value": strength})

    async def reset(self) -> None:
        """Have the stream forget what it has heard."""
        await self._control({"type": "reset"})

    async def statistics(self) -> dict[str, Any]:
        """Ask the server how the stream does; answers must be taken meanwhile."""
        told: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked.append(told)
        await self._control({"type": "statistics"})
        return await told

    async def finish(self) -> None:
        """Tell that nothing more comes; the iteration ends with the last answer."""
        self._finishing = True
        await self._control({"type": "finish"})

    def __aiter__(self) -> AsyncIterator[Answer]:
        return self

    async def __anext__(self) -> Answer:
        answer = None if self._ended else await self._answers.get()
        if isinstance(answer, tuple):
            return answer
        self._ended = True
        if answer is not None:
            raise answer
        raise StopAsyncIteration

    def _check_open(self) -> None:
        if self._reading.done():
            raise ServerError("the stream has ended", "ended")

    async def _control(self, message: dict[str, Any]) -> None:
        async with self._sending:
            self._check_open()
            await self._send(json.dumps(message))

    async def _send(self, message: str | bytes) -> None:
        from websockets.exceptions import ConnectionClosed

        # Whoever reads learns of the end, too, and connects again, with all that was not answered, or tells of it.
        with suppress(ConnectionClosed):
            await self._connection.send(message)

    async def _read(self) -> None:
        """Take what the server sends, over as many connections as it takes; the last answer is None or an error."""
        last: Exception | None = None
        try:
            while True:
                code, reason = await self._read_connection()
                if not is_to_go_on(self.messages, code, self._reconnect):
                    check_end(self.messages, code, reason)
                    break
                async with self._sending:
                    await self._connect_again()
        except (UnmuffleError, OSError, ValueError) as error:
            last = error
        for told in self._asked:
            told.cancel()
        await self._answers.put(last)

    async def _read_connection(self) -> tuple[int, str]:
        from websockets.exceptions import ConnectionClosed

        try:
            while True:
                answer = self.messages.understand(await self._connection.recv())
                if answer is not None:
                    await self._answers.put(answer)
                elif self.messages.statistics is not None and self._asked:
                    told, self.messages.statistics = self.messages.statistics, None
                    self._asked.popleft().set_result(told)
        except ConnectionClosed as closed:
            return how_closed(closed)

    async def _connect(self) -> None:
        load_package("websockets", CLIENT, "a client's stream")
        from websockets.asyncio.client import connect

        await self._stack.aclose()
        connecting = connect(self._url, max_size=MAX_MESSAGE_BYTES, compression=None)
        self._connection = await self._stack.enter_async_context(connecting)
        await self._connection.send(self.messages.hello())
        while not self.messages.ready:
            self.messages.understand(await self._connection.recv())

    async def _connect_again(self) -> None:
        from websockets.exceptions import WebSocketException

        resend = self.messages.begin_again()
        for attempt in range(1, RECONNECTS + 1):
            try:
                await self._connect()
                break
            except (ServerError, OSError, WebSocketException):
                if attempt == RECONNECTS:
                    raise
            await asyncio.sleep(RECONNECT_PAUSE_S * attempt)
        for message in resend:
            await self._send(message)
        for _ in self._asked:
            await self._send(json.dumps({"type": "statistics"}))
        if self._finishing:
            await self._send(json.dumps({"type": "finish"}))
