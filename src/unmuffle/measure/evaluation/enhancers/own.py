"""Our own methods."""

from __future__ import annotations

from functools import lru_cache, partial

from unmuffle._version import __version__
from unmuffle.denoise.methods import METHODS
from unmuffle.enhancer import Enhancer
from unmuffle.measure.evaluation.enhancers.contract import ClipEnhancer
from unmuffle.signal.arrays import AnyArray, FloatArray

NAMES = ("auto", *METHODS)


def own_method(name: str) -> ClipEnhancer:
    """Return one of our methods."""
    return ClipEnhancer(name, partial(_enhance, name), partial(_latency_ms, name), f"unmuffle {__version__}")


def _enhance(method: str, audio: FloatArray, sample_rate: int) -> AnyArray:
    return Enhancer(method).enhance(audio, sample_rate)


@lru_cache(maxsize=64)
def _latency_ms(method: str, sample_rate: int) -> float:
    return Enhancer(method).open_stream(sample_rate).latency_ms
