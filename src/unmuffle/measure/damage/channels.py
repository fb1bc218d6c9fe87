"""From the channels of a pair to one figure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.damage.pair_spectra import ChannelSpectra, PairSpectra

T = TypeVar("T")

LEAST_RATIO = 1e-6
"""A power that fell by more than 60 dB is taken to have fallen by 60 dB."""


def per_channel(measure: Callable[[ChannelSpectra], T], spectra: PairSpectra) -> list[T]:
    """Return what a measure says of each channel in which there is something to measure.

    Raises
    ------
    InvalidAudioError
        Of the first channel, if there is nothing to measure in any.
    """
    values: list[T] = []
    reasons: list[InvalidAudioError] = []
    for channel in spectra.channels:
        try:
            values.append(measure(channel))
        except InvalidAudioError as error:
            reasons.append(error)
    if not values:
        raise reasons[0]
    return values


def mean_over_channels(measure: Callable[[ChannelSpectra], float], spectra: PairSpectra) -> float:
    """Return the mean of ``per_channel``."""
    return float(np.mean(per_channel(measure, spectra)))


def ratio_db(power: float, reference_power: float) -> float:
    """Return the ratio of two powers in dB, within -60 to 60."""
    least = LEAST_RATIO * max(power, reference_power)
    return float(10.0 * np.log10(max(power, least) / max(reference_power, least))) if least > 0.0 else 0.0
