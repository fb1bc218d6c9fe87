"""What tells music from speech and from noise: features of the last seconds, one set every 16 ms.

Bars of the spectrogram that last, from windows of 96 ms, as in K. Seyerlehner, T. Pohle, M. Schedl and G. Widmer,
"Automatic music detection in television productions", DAFx 2007 (continuous frequency activation): each bin that stands
out from its surroundings is marked, marks are averaged over time, and the five steepest peaks of that average are added
up. Held notes give steep peaks, a voice whose pitch never rests does not. Beside it the spectral flux and its
deviation, after E. Scheirer and M. Slaney, "Construction and evaluation of a robust multifeature speech/music
discriminator", ICASSP 1997. Of our own: the share of bins that are marked, and of the power in them; the change of the
peaks and the share of those that never cease, since notes come and go and the tones of machines stay; and how well the
peaks fit a scale of semitones, of any tuning. Left out, since they added nothing: modulation at 4 Hz and the share of
quiet frames.

Averages run, where the papers take blocks, so that a decision costs no delay. All is relative to the level.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unmuffle.signal.arrays import BoolArray, ComplexArray, FloatArray
from unmuffle.signal.grid import Grid, grid_for

NAMES: Final = (
    "peaks",
    "steady_share",
    "flux",
    "flux_deviation",
    "marked_share",
    "change_of_peaks",
    "marked_power",
    "semitones",
)
"""Of the features, in their order."""

HOPS_A_WINDOW = 6
_LOWEST_HZ, _HIGHEST_HZ = 80.0, 3_900.0
"""What every sample rate has, so that the same sound has the same features at all of them."""
_AROUND_BINS, _STANDS_OUT_DB = 10, 6.0
_MARKS_S, _STEADY_S, _QUICK_S = 1.2, 2.5, 0.4
_MEANS_S = 0.8
_PEAKS, _REACH_BINS = 5, 3
_ALWAYS = 0.8
_LEAST_PEAK, _SEMITONES_FROM_HZ = 0.15, 300.0
_FLOOR = 1e-10
_SILENT_POWER = 1e-6
"""Full scale is about 1; what is quieter tells nothing, and the averages wait."""


class MusicFeatures:
    """Follows the features of several channels.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    channels : int
        Of every frame.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self.grid: Grid = grid_for(sample_rate, HOPS_A_WINDOW)
        first, last = (round(hz / self.grid.bin_hz) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
        self._bins = slice(first, last)
        hz = np.arange(first, last) * self.grid.bin_hz
        self._in_semitones = np.exp(2j * np.pi * 12.0 * np.log2(hz / 440.0)) * (hz >= _SEMITONES_FROM_HZ)
        self._scale = 2.0 / self.grid.window
        self._steps = tuple(1.0 - self.grid.smoothing(memory_s) for memory_s in (_MARKS_S, _STEADY_S, _QUICK_S))
        self._mean_step = 1.0 - self.grid.smoothing(_MEANS_S)
        self._channels = channels
        self.reset(None)

    def reset(self, mask: BoolArray | None) -> None:
        """Forget the past of all channels, or of those in the mask."""
        channels, bins = self._channels, self._bins.stop - self._bins.start
        if mask is None:
            self.heard_s: FloatArray = np.zeros(channels)
            self._marks: FloatArray = np.zeros((3, channels, bins))
            self._level_db: FloatArray = np.zeros((channels, bins))
            self._means: FloatArray = np.zeros((channels, 5))
            return
        self._marks[:, mask] = 0.0
        for state in (self.heard_s, self._level_db, self._means):
            state[mask] = 0.0

    def hear(self, spectra: ComplexArray) -> FloatArray:
        """Take in the next frame, complex64 [channels, all bins], and return the features, float64 [channels, 8]."""
        parts = spectra[:, self._bins]
        power = (parts.real.astype(np.float64) ** 2 + parts.imag.astype(np.float64) ** 2) * self._scale**2 + _FLOOR
        total = power.sum(axis=1)
        heard = total > _SILENT_POWER
        level_db = 10.0 * np.log10(power)
        # The first frame has none before it to differ from.
        before_db = np.where((self.heard_s == 0.0)[:, None], level_db, self._level_db)
        marked = level_db > _around(level_db) + _STANDS_OUT_DB
        for marks, step in zip(self._marks, self._steps, strict=True):
            marks += np.where(heard, step, 0.0)[:, None] * (marked - marks)
        peaks = _peaks(self._marks[0])
        flux = np.abs(level_db - before_db).mean(axis=1)
        self._level_db = np.where(heard[:, None], level_db, before_db)
        change = (np.abs(self._marks[2] - self._marks[0]) * (peaks > _LEAST_PEAK)).sum(axis=1)
        told = (flux, flux**2, marked.mean(axis=1), change, (power * marked).sum(axis=1) / total)
        self._means += np.where(heard, self._mean_step, 0.0)[:, None] * (np.stack(told, axis=1) - self._means)
        self.heard_s += self.grid.hop_s * heard
        return self._features(peaks)

    def _features(self, peaks: FloatArray) -> FloatArray:
        highest = np.partition(peaks, -_PEAKS, axis=1)[:, -_PEAKS:].sum(axis=1)
        # The means begin at 0, and are made up for as long as they are young.
        age_s = np.maximum(self.heard_s, self.grid.hop_s)
        flux, flux_squared, share, change, within = (self._means / -np.expm1(-age_s / _MEANS_S)[:, None]).T
        deviation = np.sqrt(np.maximum(flux_squared - flux**2, 0.0))
        fit = np.abs((peaks * self._in_semitones).sum(axis=1))
        fit /= (peaks * np.abs(self._in_semitones)).sum(axis=1) + 0.1
        always = self._marks[1] > -_ALWAYS * np.expm1(-age_s / _STEADY_S)[:, None]
        steady = (peaks * always).sum(axis=1) / (peaks.sum(axis=1) + 0.1)
        return np.stack((highest, steady, flux, deviation, share, change, within, fit), axis=1)


def _around(level_db: FloatArray) -> FloatArray:
    """Mean of the bins around each, [channels, bins]."""
    reach = _AROUND_BINS
    padded = np.pad(level_db, ((0, 0), (reach + 1, reach)), mode="edge")
    padded[:, 0] = 0.0
    sums = np.cumsum(padded, axis=1)
    return np.asarray((sums[:, 2 * reach + 1 :] - sums[:, : -2 * reach - 1]) / (2 * reach + 1))


def _peaks(marks: FloatArray) -> FloatArray:
    """Return how far each local maximum rises over both sides, [channels, bins]; 0 elsewhere."""
    reach = _REACH_BINS
    inner = marks[:, reach:-reach]
    rise = inner - 0.5 * (marks[:, : -2 * reach] + marks[:, 2 * reach :])
    is_highest = (inner >= marks[:, reach - 1 : -reach - 1]) & (inner > marks[:, reach + 1 : -reach + 1])
    peaks = np.zeros_like(marks)
    peaks[:, reach:-reach] = np.maximum(rise, 0.0) * is_highest
    return peaks
