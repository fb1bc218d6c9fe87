"""The contract of a speaker embedding, and how alike two are."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from unmuffle.errors import InvalidAudioError
from unmuffle.signal.arrays import FloatArray


@runtime_checkable
class SpeakerEmbedder(Protocol):
    """Turns speech into a vector that tells who speaks, whatever is said.

    With more than one job it is pickled, and each worker loads its model for itself.

    Attributes
    ----------
    name, version : str
        What it is called in tables, and what of.
    sample_rate : int
        In Hz; audio is brought to it before ``embed``.
    """

    name: str
    version: str
    sample_rate: int

    def embed(self, audio: FloatArray, rate: int) -> FloatArray:
        """Return the vector of audio, float32 [samples] at ``rate`` Hz."""


def cosine(one: FloatArray, two: FloatArray) -> float:
    """Return the cosine of the angle of two vectors, -1 to 1, or raise ``InvalidAudioError`` for one of length 0."""
    lengths = float(np.linalg.norm(one) * np.linalg.norm(two))
    if not np.isfinite(lengths) or lengths == 0.0:
        raise InvalidAudioError("no talker can be told from this audio: its speaker embedding is empty")
    return float(np.clip(np.dot(one, two) / lengths, -1.0, 1.0))
