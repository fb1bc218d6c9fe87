"""What a measure of one recording demands of it."""

from __future__ import annotations

import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.signal.arrays import FloatArray, as_channels, check_finite
from unmuffle.signal.grid import check_sample_rate


def checked_recording(audio: npt.ArrayLike, sample_rate: int, measure: str, least_s: float) -> FloatArray:
    """Return audio as float32 [channels, samples], fit to be measured.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    measure : str
        Name of the measure, for the message.
    least_s : float
        Shortest audio it can work on, in seconds.

    Raises
    ------
    InvalidAudioError
        If the array has another number of dimensions or type, is too short, is silent in all channels, or holds NaN
        or infinity.
    InvalidParameterError
        If the rate is outside its range.
    """
    rate = check_sample_rate(sample_rate)
    samples = as_channels(audio)
    length = samples.shape[1]
    if length < least_s * rate:
        raise InvalidAudioError(
            f"{measure} needs at least {least_s:g} s of audio, not {length / rate:.3f} s ({length:,} samples)"
        )
    check_finite("audio", samples)
    if not samples.any():
        raise silent_recording(measure, "all of it is silent")
    return samples


def silent_recording(measure: str, finding: str) -> InvalidAudioError:
    """Return the error for a recording in which there is nothing to measure."""
    return InvalidAudioError(f"{measure} cannot be taken: {finding}; leave this recording out")
