"""Audio as it goes over a WebSocket: interleaved PCM, and before each answer the place of its first sample."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

AnyBlock = npt.NDArray[np.generic]

FORMATS: Mapping[str, np.dtype[np.generic]] = {"s16le": np.dtype("<i2"), "f32le": np.dtype("<f4")}

_POSITION = struct.Struct("<Q")


class PcmReader:
    """Turns messages into blocks; a sample that is cut across two messages is carried over.

    Parameters
    ----------
    format : str
        "s16le" or "f32le".
    channels : int
    """

    def __init__(self, format: str, channels: int = 1) -> None:  # noqa: A002
        self._dtype = FORMATS[format]
        self._channels = channels
        self._frame_bytes = self._dtype.itemsize * channels
        self._carried = b""

    def read(self, data: bytes) -> AnyBlock:
        """Return the whole samples so far, ``[n]`` of one channel, else ``[channels, n]``."""
        if self._carried:
            data = self._carried + data
        over = len(data) % self._frame_bytes
        self._carried = data[len(data) - over :] if over else b""
        samples = np.frombuffer(data, self._dtype, len(data) // self._dtype.itemsize - over // self._dtype.itemsize)
        return samples if self._channels == 1 else samples.reshape(-1, self._channels).T

    @property
    def carried_bytes(self) -> int:
        """Bytes of a sample that has not come whole."""
        return len(self._carried)


@dataclass(frozen=True)
class PcmWriter:
    """Turns blocks into messages.

    Attributes
    ----------
    format : str
        "s16le" or "f32le".
    """

    format: str

    def write(self, block: AnyBlock, position: int) -> bytes:
        """Return one message: the position as eight bytes, little endian, and the samples interleaved."""
        return _POSITION.pack(position) + interleaved(block, self.format)


def interleaved(block: AnyBlock, format: str) -> bytes:  # noqa: A002
    """Return the bytes of a block ``[n]`` or ``[channels, n]``."""
    return np.ascontiguousarray(block.T, FORMATS[format]).tobytes()


def split_answer(message: bytes) -> tuple[int, bytes]:
    """Return the position and the samples of an answer.

    Raises
    ------
    ValueError
        If it is too short to hold a position.
    """
    if len(message) < _POSITION.size:
        raise ValueError(f"an answer of {len(message)} bytes has no position")
    return _POSITION.unpack_from(message)[0], message[_POSITION.size :]
