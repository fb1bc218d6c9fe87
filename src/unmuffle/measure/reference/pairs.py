"""A reference and an estimate: what every measure of a pair demands of the two, and how channels are averaged.

Nothing is cut, padded or moved here: lengths that differ are an error, and a delay is the business of
``unmuffle.measure.align``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.signal.arrays import FloatArray, as_channels, check_finite
from unmuffle.signal.grid import check_sample_rate
from unmuffle.signal.resample import resample

WIDEBAND_HZ = 16_000
NARROWBAND_HZ = 8_000


def checked_pair(
    reference: npt.ArrayLike, estimate: npt.ArrayLike, sample_rate: int, measure: str, least_s: float = 0.0
) -> tuple[FloatArray, FloatArray]:
    """Return both as float32 [channels, samples], fit to be compared.

    Parameters
    ----------
    reference, estimate : array_like
        ``[samples]`` or ``[channels, samples]``, of equal shape.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    measure : str
        Name of the measure, for the message.
    least_s : float, default 0.0
        Shortest audio it can work on, in seconds.

    Raises
    ------
    InvalidAudioError
        If channels or lengths differ, there is no sample or too few, a sample is NaN or infinite, or a channel
        of the reference is silent.
    InvalidParameterError
        If the rate is outside its range.
    """
    rate = check_sample_rate(sample_rate)
    clean, other = as_channels(reference), as_channels(estimate)
    if len(clean) != len(other):
        raise InvalidAudioError(
            f"reference and estimate must have as many channels as each other, not {len(clean)} and {len(other)}"
        )
    samples = clean.shape[1]
    if samples != other.shape[1]:
        raise InvalidAudioError(
            f"reference and estimate must be equally long, not {samples:,} and {other.shape[1]:,} samples: "
            "cut the longer one, or pad the shorter one with silence"
        )
    if samples == 0 or samples < least_s * rate:
        needed = f"at least {least_s:g} s" if least_s else "at least one sample"
        raise InvalidAudioError(f"{measure} needs {needed} of audio, not {samples / rate:.3f} s ({samples:,} samples)")
    check_finite("reference", clean)
    check_finite("estimate", other)
    silent = np.flatnonzero(~clean.any(axis=1))
    if silent.size:
        raise silent_reference(measure, f"channel {silent[0]} of the reference is silent")
    return clean, other


def silent_reference(measure: str, finding: str) -> InvalidAudioError:
    """Return the error for a reference in which there is nothing to compare with."""
    return InvalidAudioError(f"{measure} compares with the sound of the reference, but {finding}: leave it out")


def speech_rate(sample_rate: int) -> int:
    """Return the rate at which measures made for speech work: 16 kHz, or 8 kHz for audio below that."""
    return WIDEBAND_HZ if sample_rate >= WIDEBAND_HZ else NARROWBAND_HZ


def resampled(pair: tuple[FloatArray, FloatArray], sample_rate: int, wanted: int) -> tuple[FloatArray, FloatArray]:
    """Return both at another rate."""
    reference, estimate = pair
    return resample(reference, sample_rate, wanted), resample(estimate, sample_rate, wanted)


def mean_over_channels(
    measure: Callable[[FloatArray, FloatArray], float], pair: tuple[FloatArray, FloatArray]
) -> float:
    """Return the mean of a measure of ``[samples]`` and ``[samples]``, taken channel by channel."""
    return float(np.mean([measure(reference, estimate) for reference, estimate in zip(*pair, strict=True)]))
