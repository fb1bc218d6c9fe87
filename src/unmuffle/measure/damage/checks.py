"""What every measure of damage demands of the audio it is given."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.signal.arrays import FloatArray, as_channels, check_finite
from unmuffle.signal.grid import check_sample_rate

LEAST_S = 0.25


def checked(
    original: npt.ArrayLike, enhanced: npt.ArrayLike, sample_rate: int, reference: npt.ArrayLike | None = None
) -> list[FloatArray]:
    """Return original, enhanced and, where given, the reference as float32 [channels, samples].

    Raises
    ------
    InvalidAudioError
        If channels or lengths differ, there is less than 0.25 s, a sample is NaN or infinite, or the original or the
        reference is silent.
    InvalidParameterError
        If the rate is not 8,000 to 192,000 Hz.
    """
    rate = check_sample_rate(sample_rate)
    given = {"original": original, "enhanced": enhanced} | ({} if reference is None else {"reference": reference})
    audio = {name: as_channels(samples) for name, samples in given.items()}
    channels, samples = audio["original"].shape
    for name, one in audio.items():
        _check_alike("channels", "original", channels, name, len(one))
        _check_alike("samples", "original", samples, name, one.shape[1])
        check_finite(name, one)
    if samples < LEAST_S * rate:
        raise InvalidAudioError(
            f"damage is measured on at least {LEAST_S:g} s of audio, not {samples / rate:.3f} s ({samples:,} samples)"
        )
    for name in set(audio) - {"enhanced"}:
        if not np.any(audio[name]):
            raise InvalidAudioError(f"{name} is silent, so nothing in it can be damaged: leave it out")
    return list(audio.values())


def _check_alike(what: str, name: str, wanted: int, other: str, found: int) -> None:
    if found != wanted:
        raise InvalidAudioError(
            f"{name} and {other} must have as many {what} as each other, not {wanted:,} and {found:,}: "
            "bring them into one shape and in step first, see unmuffle.measure.align"
        )
