"""From covariances of voice and noise to weights, for all beamformers that go by a mask."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np

from unmuffle.array.covariance import (
    check_loading,
    diagonal_loaded,
    mean_power,
)
from unmuffle.array.gev import gev_weights
from unmuffle.array.mvdr import souden_weights
from unmuffle.array.mwf import mwf_weights
from unmuffle.errors import InvalidParameterError
from unmuffle.signal.arrays import ComplexArray, FloatArray
from unmuffle.signal.grid import is_whole

LOADING_DB = -60.0
"""Less than for steered beams: there is no direction that could be wrong."""
METHODS = ("mvdr", "gev", "mwf")
LEAST_SPEECH_POWER = 1e-24


@dataclass(frozen=True)
class Solver:
    """How weights follow from covariances.

    Attributes
    ----------
    method : {"mvdr", "gev", "mwf"}
    loading_db : float
        See ``diagonal_loaded``.
    trade_off : float
        See ``mwf_weights``.
    """

    method: str = "mvdr"
    loading_db: float = LOADING_DB
    trade_off: float = 1.0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InvalidParameterError(f"method is {self.method!r}; it must be one of {', '.join(METHODS)}")
        check_loading(self.loading_db)
        if not (isfinite(self.trade_off) and 0.0 <= self.trade_off <= 100.0):
            raise InvalidParameterError(f"trade_off is {self.trade_off!r}; it must be 0 to 100, for instance 1")

    def weights(self, speech: ComplexArray, noise: ComplexArray, reference: int) -> ComplexArray:
        """Return weights [bins, microphones] of covariances [bins, microphones, microphones]."""
        level = np.maximum(mean_power(noise), LEAST_SPEECH_POWER)[:, None, None]
        # Powers near 1 keep the algebra far from the ends of what numbers can be.
        loaded = diagonal_loaded(noise / level, self.loading_db)
        if self.method == "gev":
            return gev_weights(speech / level, loaded, reference)
        if self.method == "mwf":
            return mwf_weights(speech / level, loaded, reference, trade_off=self.trade_off)
        return souden_weights(speech / level, loaded, reference)


def microphone_snrs(speech: ComplexArray, noise: ComplexArray) -> FloatArray:
    """Return the ratio of both powers at each microphone, float64 [microphones], the mean of all bins."""
    ratios = np.einsum("kmm->km", speech).real / np.maximum(np.einsum("kmm->km", noise).real, LEAST_SPEECH_POWER)
    return np.minimum(ratios, 1e6).mean(axis=0)


def check_reference(reference: int, channels: int) -> int:
    """Return the index of a microphone or -1, or raise if there is none such."""
    if not is_whole(reference) or not -1 <= reference < channels:
        raise InvalidParameterError(
            f"reference is {reference!r}; it must be 0 to {channels - 1}, or -1 for the microphone of the best SNR"
        )
    return int(reference)
