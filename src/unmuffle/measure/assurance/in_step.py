"""Original, enhanced clip and clean reference brought in step, all three at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.evaluation.in_step import in_step_pair
from unmuffle.signal.arrays import FloatArray, as_channels, check_finite


@dataclass(frozen=True)
class ThreeInStep:
    """What is compared: the stretch that all have in common, float32 [channels, samples].

    Attributes
    ----------
    original, enhanced : float32 [channels, samples]
        Before and after.
    reference : float32 [channels, samples] or None
        The clean one, where there is one.
    delay_ms : float or None
        By how much the enhanced clip was late, where that was more than 1 ms and so taken out.
    """

    original: FloatArray
    enhanced: FloatArray
    reference: FloatArray | None
    delay_ms: float | None


def bring_three_in_step(
    original: npt.ArrayLike,
    enhanced: npt.ArrayLike,
    reference: npt.ArrayLike | None,
    sample_rate: int,
    *,
    known: bool = False,
) -> ThreeInStep:
    """Take out delays of more than 1 ms between the three.

    The enhanced clip is held against the reference where there is one, which it resembles more than it does a noisy
    original. Where no delay can be told, as of silence, or all are known to be in step, all stays as it is.

    Raises
    ------
    InvalidAudioError
        If shapes differ, there is no sample, or a sample is NaN or infinite.
    """
    given = {"original": original, "enhanced": enhanced, "reference": reference}
    audio = {name: as_channels(samples) for name, samples in given.items() if samples is not None}
    for name, samples in audio.items():
        _check(name, samples, audio["original"])
    first, second = audio["original"], audio["enhanced"]
    if known:
        return ThreeInStep(first, second, audio.get("reference"), None)
    if reference is None:
        pair = in_step_pair(first, second, sample_rate)
        return ThreeInStep(pair.given, pair.other, None, pair.delay_ms)
    to_original = in_step_pair(first, audio["reference"], sample_rate)
    pair = in_step_pair(to_original.other, to_original.cut(second), sample_rate)
    return ThreeInStep(pair.cut(to_original.given), pair.other, pair.given, pair.delay_ms)


def _check(name: str, audio: FloatArray, original: FloatArray) -> None:
    if audio.shape != original.shape:
        told = [f"{len(samples)} channel(s) of {samples.shape[1]:,} samples" for samples in (original, audio)]
        raise InvalidAudioError(f"original and {name} must be of one shape, not {told[0]} and {told[1]}")
    if not audio.size:
        raise InvalidAudioError(f"{name} holds no sample")
    check_finite(name, audio)
