"""Shift of the stereo image: changes of the level and of the time difference between channels, where speech is.

A definition of ours after the two cues of direction (Lord Rayleigh, "On our perception of sound direction",
Philosophical Magazine 13, 1907). The level difference between neighbouring channels is taken in every cell in which
either of them holds mostly speech; the measure is the mean size of its change. The time difference's change is the
slope, over frequencies below 1.5 kHz where the ear follows phase, of the phase by which the cross-spectrum of the two
channels turned, cells weighted by power.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.damage.cells import Cells
from unmuffle.measure.damage.pair_spectra import ChannelSpectra, PairSpectra
from unmuffle.measure.damage.spectral_distortion import LEAST_CELLS, no_speech
from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.grid import Grid

HIGHEST_PHASE_HZ = 1_500.0

_MOST_DB = 30.0


@dataclass(frozen=True)
class ImageShift:
    """How the image moved.

    Attributes
    ----------
    level_db : float
        Mean size of the change of level differences between neighbouring channels, 0 to 30.
    time_us : float
        Largest change of the time difference between neighbouring channels, in microseconds; above 0 where the
        second channel became late. Told up to half a period of 1.5 kHz (333 us).
    """

    level_db: float
    time_us: float


def image_shift_db(
    original: npt.ArrayLike, enhanced: npt.ArrayLike, sample_rate: int, *, reference: npt.ArrayLike | None = None
) -> float:
    """Return the mean change of level differences between channels in dB; see ``image_shift``."""
    return image_shift(original, enhanced, sample_rate, reference=reference).level_db


def image_shift(
    original: npt.ArrayLike, enhanced: npt.ArrayLike, sample_rate: int, *, reference: npt.ArrayLike | None = None
) -> ImageShift:
    """Return how the image of the speech moved.

    Parameters
    ----------
    original, enhanced, sample_rate, reference
        As for ``PairSpectra``; at least two channels.

    Raises
    ------
    InvalidAudioError
        As ``PairSpectra``, if there is but one channel, or if no speech stands out of the noise.
    """
    return image_shift_of(PairSpectra(original, enhanced, sample_rate, reference))


def image_shift_of(spectra: PairSpectra) -> ImageShift:
    """Return ``image_shift`` of a pair that is analysed already."""
    channels = spectra.channels
    if len(channels) < 2:
        raise InvalidAudioError("an image has at least two channels, and this audio has one")
    shifts = [_shift(left, right) for left, right in pairwise(channels)]
    times_us = [shift.time_us for shift in shifts]
    return ImageShift(float(np.mean([shift.level_db for shift in shifts])), max(times_us, key=abs))


def _shift(left: ChannelSpectra, right: ChannelSpectra) -> ImageShift:
    total_db, count = 0.0, 0
    grid = left.grid
    bins = slice(1, round(HIGHEST_PHASE_HZ / grid.bin_hz) + 1)
    turned = np.zeros(bins.stop - 1, np.complex128)
    for first, second, speech in _in_step(left, right):
        total_db += float(np.abs(_level_difference_change_db(first, second, speech)).sum(dtype=np.float64))
        count += int(np.count_nonzero(speech))
        before, after = (first.spectra[i][:, bins] * second.spectra[i][:, bins].conj() for i in (0, 1))
        turned += np.where(speech[:, bins], after * before.conj(), 0.0).sum(axis=0)
    if count < LEAST_CELLS:
        raise no_speech("the image")
    return ImageShift(total_db / count, _delay_us(turned, grid))


def _in_step(left: ChannelSpectra, right: ChannelSpectra) -> Iterator[tuple[Cells, Cells, BoolArray]]:
    """Go through the cells of both, with those where speech is in either."""
    for first, second in zip(left, right, strict=True):
        there = (first.original > 0.0) & (second.original > 0.0)
        yield first, second, (first.speech | second.speech) & there


def _level_difference_change_db(first: Cells, second: Cells, speech: BoolArray) -> FloatArray:
    def gain_db(cells: Cells) -> FloatArray:
        before, after = cells.original[speech], cells.enhanced[speech]
        return 10.0 * np.log10(np.maximum(after, 1e-9 * before) / before)

    return np.clip(gain_db(first) - gain_db(second), -_MOST_DB, _MOST_DB)


def _delay_us(turned: npt.NDArray[np.complex128], grid: Grid) -> float:
    """Return the slope of the phase, in microseconds, the fit that weights bins by their power."""
    power = np.abs(turned)
    omega = 2.0 * np.pi * grid.bin_hz * np.arange(1, turned.size + 1)
    weights = float(power @ omega**2)
    return 1e6 * float(power @ (omega * np.angle(turned))) / weights if weights > 0.0 else 0.0
