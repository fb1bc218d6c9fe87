"""The contract of a recogniser."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from unmuffle.signal.arrays import FloatArray

RECOGNITION_HZ = 16_000
"""What nearly every recogniser was trained at."""


@runtime_checkable
class Recognizer(Protocol):
    """Turns speech into text.

    The text for a clip must depend on that clip alone, not on what was heard before. With more than one job it is
    pickled, and each worker loads its model for itself.

    Attributes
    ----------
    name, version : str
        What it is called in tables, and what of: a result of another version is another result.
    sample_rate : int
        In Hz; audio is brought to it before ``transcribe``.
    """

    name: str
    version: str
    sample_rate: int

    def transcribe(self, audio: FloatArray, rate: int) -> str:
        """Return what is said in audio, float32 [samples] at ``rate`` Hz; nothing understood is an empty text."""


def as_pcm16(audio: FloatArray) -> bytes:
    """Return audio, full scale 1.0, as 16-bit little-endian PCM, clipped at full scale."""
    return np.clip(np.rint(audio * 32_768.0), -32_768, 32_767).astype("<i2").tobytes()
