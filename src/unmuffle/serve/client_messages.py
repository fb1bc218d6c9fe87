"""What a client of /v1/stream sends and understands, whichever way it waits."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError, UnmuffleError
from unmuffle.serve.pcm import FORMATS, AnyBlock, PcmReader, interleaved, split_answer

Answer = tuple[int, AnyBlock]
"""The position of the first sample, counted on the input, and the block: of the type and shape of what was sent."""

MAX_MESSAGE_BYTES = 1 << 24
GOING_AWAY = (1001, 1006, 1012)
"""How a stream ends whose server stops or is lost: another one, or the same after its restart, takes it on."""


class ServerError(UnmuffleError):
    """A server refused something.

    Attributes
    ----------
    code : str
        A word for programs, such as "full", "too_many", "invalid".
    status : int or None
        HTTP status; None on a stream.
    retry_after_s : float or None
        When to try again, if the server says so.
    request_id : str or None
        By which the server's log tells of it.
    """

    def __init__(
        self,
        message: str,
        code: str = "error",
        status: int | None = None,
        retry_after_s: float | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.retry_after_s = retry_after_s
        self.request_id = request_id


@dataclass
class StreamMessages:
    """Both sides of a conversation, as far as it has come.

    Attributes
    ----------
    sample_rate, channels : int
    format : str
        "s16le" or "f32le".
    preset, strength, key
        As of the hello.
    latency : int
        By how many samples answers are behind at most, once the server has said so.
    stream_id : str
    position : int
        Samples answered so far.
    finished : bool
        Whether all has been answered.
    """

    sample_rate: int
    channels: int = 1
    format: str = "f32le"
    preset: str | None = None
    strength: float = 1.0
    key: str | None = None
    latency: int = 0
    stream_id: str = ""
    position: int = 0
    finished: bool = False
    ready: bool = False
    draining: bool = False
    statistics: dict[str, Any] | None = None
    _sent: int = 0
    _begun_at: int = 0
    _unanswered: deque[tuple[int, AnyBlock]] = field(default_factory=deque)

    def hello(self) -> str:
        """Return the first message."""
        told = {"type": "hello", "sample_rate": self.sample_rate, "channels": self.channels, "format": self.format}
        told |= {"preset": self.preset, "strength": self.strength}
        return json.dumps(told | ({} if self.key is None else {"key": self.key}))

    def samples(self, block: npt.ArrayLike) -> list[bytes]:
        """Return the messages that carry a block, ``[n]`` of one channel or ``[channels, n]``: a second each at most.

        Raises
        ------
        InvalidAudioError
            If its shape or type is another.
        """
        given = np.asarray(block)
        if given.ndim not in (1, 2) or (given.shape[0] if given.ndim == 2 else 1) != self.channels:
            raise InvalidAudioError(f"a block of {self.channels} channels cannot have the shape {given.shape}")
        if given.dtype.kind != "f" and given.dtype != np.int16:
            raise InvalidAudioError(f"a block must be of a float type or int16, not {given.dtype}")
        converted = _as_format(given if given.ndim == 2 else given[None], self.format)
        pieces = [converted[:, at : at + self.sample_rate] for at in range(0, converted.shape[1], self.sample_rate)]
        for piece in pieces:
            self._unanswered.append((self._sent, piece))
            self._sent += piece.shape[1]
        return [interleaved(piece, self.format) for piece in pieces]

    def understand(self, message: str | bytes) -> Answer | None:
        """Take a message of the server in; return the answer if it is one.

        Raises
        ------
        ServerError
            If the server tells of an error, or says what cannot be understood.
        """
        if isinstance(message, bytes):
            return self._answer(message)
        told = json.loads(message)
        kind = told.get("type")
        if kind == "error":
            raise ServerError(told["message"], told["code"], retry_after_s=told.get("retry_after_s"))
        if kind == "ready":
            self.ready, self.latency, self.stream_id = True, told["latency_samples"], told["stream_id"]
        elif kind == "statistics":
            self.statistics = {name: value for name, value in told.items() if name != "type"}
        elif kind == "finished":
            self.finished = True
        elif kind == "draining":
            self.draining = True
        return None

    def forget_statistics(self) -> None:
        """Have ``statistics`` tell only what comes from now on."""
        self.statistics = None

    def begin_again(self) -> list[bytes]:
        """Return what a new connection has to be sent after its hello: all that was not answered.

        Positions then go on where the last connection ended. Audio that was sent but not answered is enhanced anew.
        """
        self._begun_at = self.position
        self.ready = self.finished = self.draining = False
        self._forget_answered()
        return [interleaved(block[:, max(0, self.position - at) :], self.format) for at, block in self._unanswered]

    def _answer(self, message: bytes) -> Answer:
        first, data = split_answer(message)
        block = PcmReader(self.format, self.channels).read(data)
        first += self._begun_at
        self.position = first + block.shape[-1]
        self._forget_answered()
        return first, block

    def _forget_answered(self) -> None:
        while self._unanswered and self._unanswered[0][0] + self._unanswered[0][1].shape[1] <= self.position:
            self._unanswered.popleft()


def _as_format(block: AnyBlock, format: str) -> AnyBlock:  # noqa: A002
    if format == "f32le":
        scale = 32_768.0 if block.dtype == np.int16 else 1.0
        return (np.asarray(block, np.float32) / np.float32(scale)).astype(FORMATS[format])
    if block.dtype == np.int16:
        return np.array(block, FORMATS[format])
    return np.clip(np.round(np.asarray(block, np.float64) * 32_768.0), -32_768, 32_767).astype(FORMATS[format])
