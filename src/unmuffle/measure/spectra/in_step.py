"""Several versions of one recording brought in step with the first, so that their difference means something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.reference.alignment import align
from unmuffle.measure.spectra.spectrogram import checked_audio
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.grid import check_sample_rate


@dataclass(frozen=True)
class InStep:
    """Signals that can be laid over each other.

    Attributes
    ----------
    signals : dict of str to float32 [channels, samples]
        What all have in common in time, by name, the first one first.
    delays_s : dict of str to float
        By how much each was late and was moved to earlier; 0 for what stayed in place.
    start_s : float
        Where in the first one the common stretch starts.
    """

    signals: dict[str, FloatArray]
    delays_s: dict[str, float]
    start_s: float


def in_step(signals: Mapping[str, npt.ArrayLike], sample_rate: int) -> InStep:
    """Take out the delays of more than 1 ms that ``align`` finds against the first signal.

    Parameters
    ----------
    signals : mapping of str to array_like
        ``[samples]`` or ``[channels, samples]``, of one shape, by the names that messages call them.
    sample_rate : int
        In Hz, 8,000 to 192,000.

    Raises
    ------
    InvalidAudioError
        If shapes differ, there are less than 32 ms, or NaN or infinity.
    InvalidParameterError
        If the rate is outside its range.
    """
    rate = check_sample_rate(sample_rate)
    checked = {name: checked_audio(name, audio) for name, audio in signals.items()}
    (first_name, first), *others = checked.items()
    for name, audio in others:
        _check_alike(first_name, first, name, audio)
    placed = {first_name: _Placed(first, 0, 0.0)}
    placed |= {name: _place(first, audio, rate) for name, audio in others}
    start = max(one.start for one in placed.values())
    stop = min(one.start + one.audio.shape[1] for one in placed.values())
    return InStep(
        {name: one.audio[:, start - one.start : stop - one.start] for name, one in placed.items()},
        {name: one.delay_s for name, one in placed.items()},
        start / rate,
    )


@dataclass(frozen=True)
class _Placed:
    """Audio whose first sample belongs to sample ``start`` of the first signal."""

    audio: FloatArray
    start: int
    delay_s: float


def _check_alike(first_name: str, first: FloatArray, name: str, audio: FloatArray) -> None:
    if len(audio) != len(first):
        raise InvalidAudioError(
            f"{first_name} has {len(first)} channel(s) and {name} {len(audio)}: compare channel with channel"
        )
    if audio.shape[1] != first.shape[1]:
        raise InvalidAudioError(
            f"{first_name} has {first.shape[1]:,} samples and {name} {audio.shape[1]:,}: "
            "cut the longer one, or pad the shorter one with silence"
        )


def _place(first: FloatArray, audio: FloatArray, rate: int) -> _Placed:
    # A delay cannot be told from a channel that is silent in either.
    heard = first.any(axis=1) & audio.any(axis=1)
    if not heard.any():
        return _Placed(audio, 0, 0.0)
    found = align(first, audio, rate) if heard.all() else align(first[heard], audio[heard], rate)
    if not found.compensated:
        return _Placed(audio, 0, 0.0)
    late = round(found.delay.samples)
    common = found.estimate.shape[1]
    if heard.all():
        return _Placed(found.estimate, max(-late, 0), found.delay.seconds)
    moved = audio[:, max(late, 0) : max(late, 0) + common].copy()
    moved[heard] = found.estimate
    return _Placed(moved, max(-late, 0), found.delay.seconds)


def delay_notes(delays_s: Mapping[str, float]) -> list[str]:
    """Return what is to be told of each signal that was moved, from its delay in seconds."""
    return [
        f"{name} is {abs(delay_s) * 1000.0:.1f} ms {'late' if delay_s > 0.0 else 'early'}: compensated"
        for name, delay_s in delays_s.items()
        if delay_s
    ]
