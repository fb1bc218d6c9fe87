"""Interleaved 16-bit samples, which calls are made of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]


def from_bytes(data: bytes | bytearray | memoryview, channels: int) -> Samples:
    """Return whole samples of int16 little endian as [channels, n]."""
    return np.frombuffer(data, "<i2").reshape(-1, channels).T


def to_bytes(samples: Samples) -> bytes:
    """Return samples [channels, n] as interleaved int16 little endian."""
    return np.ascontiguousarray(samples.T, "<i2").tobytes()
