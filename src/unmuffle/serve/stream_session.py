"""One live stream between a client and the pool: what comes is given on as there is room, what is ready is sent.

A session knows nothing of sockets. It reads from whoever calls ``receive_bytes`` and ``receive_text``, writes to a
``Wire``, and tells the wire to stop reading while what came has no room in the pool: that is the back-pressure. All
of it happens on the event loop.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from unmuffle.errors import UnmuffleError
from unmuffle.serve.errors_http import ApiError, as_api_error
from unmuffle.serve.pcm import AnyBlock, PcmReader, PcmWriter
from unmuffle.serve.pool_errors import PoolBusyError
from unmuffle.serve.stream_protocol import (
    NORMAL,
    Hello,
    close_code,
    error_message,
    hello_of,
    read_message,
    strength_in,
)
from unmuffle.serve.wire import Wire

if TYPE_CHECKING:
    from unmuffle.serve.pool import PoolStream

PIECE_S = 0.1
"""Longer blocks are given to the pool in pieces, so that one of ten seconds waits here and not in its queue."""

MAX_UNSENT_BYTES = 1 << 20
"""With more than this on its way to a client, no more of its audio is taken."""


class StreamSession:
    """A stream that has been opened.

    Parameters
    ----------
    name : str
        Its id.
    client : str
        Whose it is.
    hello : Hello
    stream : PoolStream
    wire : Wire
    wake : callable
        Tells the pool that there is something to do.
    reopen : callable
        Opens another stream, for a new hello.

    Attributes
    ----------
    ended : bool
        Whether it has been closed, by either side.
    end_code : int
        How.
    answered : int
        The position up to which the client has been answered.
    """

    def __init__(
        self,
        name: str,
        client: str,
        hello: Hello,
        stream: PoolStream,
        wire: Wire,
        wake: Callable[[], None],
        reopen: Callable[[Hello], Awaitable[PoolStream]],
    ) -> None:
        self.name = name
        self.client = client
        self.stream = stream
        self.ended = False
        self.end_code = 0
        self.heard_s = time.monotonic()
        self.stuck_since_s: float | None = None
        self._wire = wire
        self._wake = wake
        self._reopen = reopen
        self._inbox: deque[AnyBlock | dict[str, Any] | Hello] = deque()
        self._paused = False
        self._finish_code: int | None = None
        self._next: Hello | None = None
        self._opening: asyncio.Task[None] | None = None
        self._past_s = 0.0
        self._read_as(hello)
        self._begin(hello)

    def _read_as(self, hello: Hello) -> None:
        """Take what comes from now on for what a hello says."""
        self._reader = PcmReader(hello.format, hello.channels)
        self._most_bytes = hello.max_message_bytes

    def _begin(self, hello: Hello) -> None:
        """Answer from now on as a hello wants it, from position 0 on."""
        self.hello = hello
        self._writer = PcmWriter(hello.format)
        self._piece = max(1, round(PIECE_S * hello.sample_rate))
        self.answered = self._given = self._base = 0

    def tell_ready(self) -> None:
        """Tell the client that its samples may come, and as what they will be taken."""
        told: dict[str, Any] = {"type": "ready", "sample_rate": self.hello.sample_rate}
        told |= {"channels": self.hello.channels, "format": self.hello.format}
        self._send_json(told | {"latency_samples": self.stream.latency, "stream_id": self.name})

    # What comes from the client.

    def receive_bytes(self, data: bytes) -> None:
        """Take samples."""
        if self.ended or self._finish_code is not None:
            return
        self.heard_s = time.monotonic()
        if len(data) > self._most_bytes:
            self.fail(ApiError(413, "one message holds at most 10 s of audio"))
            return
        block = self._reader.read(data)
        if block.size:
            self._inbox.append(block)
            self.pump()

    def receive_text(self, text: str) -> None:
        """Take a control message; it takes its turn among the samples."""
        if self.ended or self._finish_code is not None:
            return
        self.heard_s = time.monotonic()
        try:
            message = _checked(read_message(text))
        except ApiError as error:
            self.fail(error)
            return
        if isinstance(message, Hello):
            self._read_as(message)
        self._inbox.append(message)
        self.pump()

    # What goes on between.

    def pump(self) -> None:
        """Give the pool what it has room for, in the order in which it came."""
        try:
            while self._inbox and not self.ended and self._wire.unsent_bytes < MAX_UNSENT_BYTES:
                if self._next is not None or not self._take(self._inbox[0]):
                    break
        except UnmuffleError as error:
            self.fail(as_api_error(error))
        self._hold_back(bool(self._inbox) and not self.ended)

    def deliver(self) -> None:
        """Send what the pool has made, and end the stream if that was all."""
        stream = self.stream
        if self._opening is not None:
            return
        done = stream.finished
        # Most streams have nothing after any one tick, and reading that takes longer than all else here.
        if not (done or stream.door.ready or self._inbox):
            return
        first = self._base + stream.position
        block = stream.read()
        if block.size:
            self.answered = first + block.shape[-1]
            self._wire.send(self._writer.write(block, first))
        if done:
            self._send_json({"type": "finished", "samples": self.answered})
            if self._next is not None:
                stream.close()
                self._opening = asyncio.get_running_loop().create_task(self._open(self._next))
                return
            self.end(NORMAL if self._finish_code is None else self._finish_code, "finished")
        elif self._inbox:
            self.pump()

    def finish(self, code: int) -> None:
        """Take nothing more; answer all that has come, then close with this code."""
        if not self.ended and self._finish_code is None:
            self._inbox.append({"type": "finish", "code": code})
            self.pump()

    # How it ends.

    def fail(self, error: ApiError) -> None:
        """Tell the client what was wrong, and close."""
        if not self.ended:
            self._send_json(error_message(error))
            self.end(close_code(error), error.code)

    def end(self, code: int, reason: str) -> None:
        """Close the connection and give the slot back."""
        if not self.ended:
            self._wire.close(code, reason)
            self.lost(code)

    def lost(self, code: int) -> None:
        """Give the slot back: the client has gone, or is being told so."""
        if not self.ended:
            self.ended, self.end_code = True, code
            self._inbox.clear()
            self.stream.close()

    def abort(self, code: int) -> None:
        """Drop a client that does not read."""
        self._wire.abort()
        self.lost(code)

    def tell(self, message: dict[str, Any]) -> None:
        """Send a message that was not asked for."""
        if not self.ended:
            self._send_json(message)

    @property
    def is_stuck(self) -> bool:
        """Whether the client does not read what it is sent."""
        return self._wire.unsent_bytes >= MAX_UNSENT_BYTES

    def check_chain(self) -> None:
        """Fail if the stages around the network have: the pool then makes nothing more of this stream."""
        chain = self.stream.chain
        if chain is not None and chain.failure is not None:
            self.fail(ApiError(500, f"the preset {self.hello.preset} failed on this audio", "chain_failed"))

    @property
    def seconds(self) -> float:
        """How much audio it has been given back."""
        return self._past_s + self.answered / self.hello.sample_rate

    async def _open(self, hello: Hello) -> None:
        """Go on with another rate or format, once all of the one before is answered."""
        try:
            stream = await self._reopen(hello)
        except Exception as error:
            self.fail(as_api_error(error))
            return
        if self.ended:
            stream.close()
            return
        self._past_s = self.seconds
        self.stream, self._next, self._opening = stream, None, None
        self._begin(hello)
        self.tell_ready()
        self.pump()

    def _take(self, item: AnyBlock | dict[str, Any] | Hello) -> bool:
        """Do one thing that came; return whether there was room."""
        if isinstance(item, Hello):
            self._inbox.popleft()
            self._next = item
            self.stream.finish()
            self._wake()
            return True
        if isinstance(item, dict):
            self._inbox.popleft()
            self._do(item)
            return True
        try:
            self.stream.write(item[..., : self._piece])
        except PoolBusyError:
            self._wake()
            return False
        self._given += min(item.shape[-1], self._piece)
        self._wake()
        if item.shape[-1] > self._piece:
            self._inbox[0] = item[..., self._piece :]
        else:
            self._inbox.popleft()
        return True

    def _do(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "strength":
            self.stream.strength = strength_in(message["value"])
        elif kind == "reset":
            # What was not answered is forgotten, too; positions stay those of the input.
            self.stream.reset()
            self._base = self._given
        elif kind == "statistics":
            self._send_json({"type": "statistics", "samples": self.answered} | asdict(self.stream.statistics))
        else:
            self._finish_code = message.get("code", NORMAL)
            self._inbox.clear()
            self.stream.finish()
            self._wake()

    def _hold_back(self, wanted: bool) -> None:
        if wanted and not self._paused:
            self._wire.pause_reading()
        elif self._paused and not wanted:
            self._wire.resume_reading()
        self._paused = wanted

    def _send_json(self, message: dict[str, Any]) -> None:
        self._wire.send(json.dumps(message))


def _checked(message: dict[str, Any]) -> dict[str, Any] | Hello:
    """Return a control message, or refuse one that there is not.

    Raises
    ------
    ApiError
        422, with what there is.
    """
    kind = message["type"]
    if kind == "strength":
        strength_in(message.get("value"))
    elif kind == "hello":
        return hello_of(message)
    elif kind not in ("statistics", "reset", "finish"):
        raise ApiError(
            422, "the type of a message is one of hello, strength, statistics, reset, finish", "unknown_type"
        )
    # What only the server itself may add.
    message.pop("code", None)
    return message


def give(session: StreamSession, message: Any) -> None:
    """Give a message of ASGI to a session."""
    if message.get("text") is not None:
        session.receive_text(message["text"])
    else:
        session.receive_bytes(message.get("bytes") or b"")
