"""Our own methods, and models."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import PurePath

from unmuffle._version import __version__
from unmuffle.denoise.methods import METHODS
from unmuffle.enhancer import Enhancer
from unmuffle.measure.evaluation.enhancers.contract import ClipEnhancer
from unmuffle.models import find_model
from unmuffle.signal.arrays import AnyArray, FloatArray

NAMES = ("auto", *METHODS)
MODEL_PREFIX = "model:"


def own_method(name: str) -> ClipEnhancer:
    """Return one of our methods."""
    return _clip_enhancer(name, Enhancer(name), f"unmuffle {__version__}")


def own_model(given: str, name: str | None = None) -> ClipEnhancer:
    """Return the network ``model:NAME`` that ships, or ``model:PATH``.

    Raises
    ------
    InvalidParameterError, ModelError
        If there is none.
    """
    model = find_model(given.removeprefix(MODEL_PREFIX))
    enhancer = Enhancer(model=model.name if model.shipped else str(model.path.absolute()))
    version = f"{model.name} {model.card.version}" if model.card else PurePath(model.path).name
    return _clip_enhancer(name or model.name, enhancer, version)


def _clip_enhancer(name: str, enhancer: Enhancer, version: str) -> ClipEnhancer:
    return ClipEnhancer(name, partial(_enhance, enhancer), partial(_latency_ms, enhancer), version)


def _enhance(enhancer: Enhancer, audio: FloatArray, sample_rate: int) -> AnyArray:
    return enhancer.enhance(audio, sample_rate)


@lru_cache(maxsize=64)
def _latency_ms(enhancer: Enhancer, sample_rate: int) -> float:
    return enhancer.open_stream(sample_rate).latency_ms
