"""Live streams for programs that wait."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

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
    from websockets.sync.client import ClientConnection


def open_stream(
    url: str,
    sample_rate: int,
    channels: int = 1,
    *,
    format: str = "f32le",  # noqa: A002
    preset: str | None = None,
    strength: float = 1.0,
    key: str | None = None,
    reconnect: bool = True,
) -> Stream:
    """Return a live stream for a program that waits, to be entered with ``with``; see ``connect_stream``."""
    messages = StreamMessages(sample_rate, channels, format, preset, strength, key)
    return Stream(url, messages, reconnect)


class Stream:
    """A live stream for a program that waits: send a block, receive what is ready.

    Attributes
    ----------
    messages : StreamMessages
        How far the conversation has come.
    """

    def __init__(self, url: str, messages: StreamMessages, reconnect: bool) -> None:
        self.messages = messages
        self._url = stream_url(url)
        self._reconnect = reconnect
        self._answers: deque[Answer] = deque()
        self._finishing = self._ended = False
        self._stack = ExitStack()
        self._connection: ClientConnection

    def __enter__(self) -> Stream:
        self._connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def latency(self) -> int:
        """By how many samples answers are behind at most."""
        return self.messages.latency

    def send(self, block: npt.ArrayLike) -> None:
        """Send a block, ``[n]`` or ``[channels, n]``: float (full scale 1.0) or int16, of any size.

        Raises
        ------
        InvalidAudioError
            If its shape or type is wrong.
        ServerError
            If the stream has ended.
        """
        if self._ended:
            raise ServerError("the stream has ended", "ended")
        for message in self.messages.samples(block):
            # What is ready is taken meanwhile: a server that cannot send stops to listen.
            while self._take(0.0):
                pass
            self._send(message)

    def set_strength(self, strength: float) -> None:
        """Set how much of the effect is heard, from here on."""
        self.messages.strength = strength
        self._send(json.dumps({"type": "strength", "value": strength}))

    def reset(self) -> None:
        """Have the stream forget what it has heard."""
        self._send(json.dumps({"type": "reset"}))

    def statistics(self) -> dict[str, Any]:
        """Ask the server how the stream does."""
        self.messages.forget_statistics()
        self._send(json.dumps({"type": "statistics"}))
        while self.messages.statistics is None:
            if not self._take(None):
                raise ServerError("the stream has ended", "ended")
        return self.messages.statistics

    def finish(self) -> None:
        """Tell that nothing more comes; the iteration ends with the last answer."""
        self._finishing = True
        self._send(json.dumps({"type": "finish"}))

    def receive(self, timeout_s: float | None = 0.0) -> Answer | None:
        """Return the next answer, or None if none comes in time or at all; a time of None waits for ever."""
        while not self._answers:
            if not self._take(timeout_s):
                return None
        return self._answers.popleft()

    def __iter__(self) -> Iterator[Answer]:
        while (answer := self.receive(None)) is not None:
            yield answer

    def _take(self, timeout_s: float | None) -> bool:
        """Take one message in; return whether there was one in time."""
        from websockets.exceptions import ConnectionClosed

        if self._ended:
            return False
        try:
            answer = self.messages.understand(self._connection.recv(timeout_s))
        except TimeoutError:
            return False
        except ConnectionClosed as closed:
            return self._after(*how_closed(closed))
        if answer is not None:
            self._answers.append(answer)
        return True

    def _after(self, code: int, reason: str) -> bool:
        """Go on after the end of a connection, or end; return whether it goes on."""
        if is_to_go_on(self.messages, code, self._reconnect):
            self._connect_again()
            return True
        self._ended = True
        check_end(self.messages, code, reason)
        return False

    def _send(self, message: str | bytes) -> None:
        from websockets.exceptions import ConnectionClosed

        # Whoever reads learns of the end, too, and connects again, with all that was not answered, or tells of it.
        with suppress(ConnectionClosed):
            self._connection.send(message)

    def _connect(self) -> None:
        load_package("websockets", CLIENT, "a client's stream")
        from websockets.sync.client import connect

        self._stack.close()
        connecting = connect(self._url, max_size=MAX_MESSAGE_BYTES, compression=None)
        self._connection = self._stack.enter_context(connecting)
        self._connection.send(self.messages.hello())
        while not self.messages.ready:
            self.messages.understand(self._connection.recv())

    def _connect_again(self) -> None:
        from websockets.exceptions import WebSocketException

        resend = self.messages.begin_again()
        for attempt in range(1, RECONNECTS + 1):
            try:
                self._connect()
                break
            except (ServerError, OSError, WebSocketException):
                if attempt == RECONNECTS:
                    raise
            time.sleep(RECONNECT_PAUSE_S * attempt)
        for message in resend:
            self._send(message)
        if self._finishing:
            self._send(json.dumps({"type": "finish"}))
