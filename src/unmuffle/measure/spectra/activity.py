"""Which frames of the grid hold speech, told from a clean recording or, less surely, from a noisy one.

In a clean recording it is level alone. In a noisy one it is how far the third-octave bands from 200 Hz to 4 kHz stand,
in dB and on the average, above what each has in its quiet frames (10th percentile): all bands count alike, as in the
long-term spectral divergence of J. Ramirez et al., "Efficient voice activity detection algorithms using long-term
speech information", Speech Communication 42, 2004. The mean over 80 ms is compared with a threshold a quarter of the
way from its 10th to its 95th percentile. Tried on 48 mixes of recorded speech and noise at 0 to 20 dB, 88 to 92 % of
the frames in which the clean speech is within 40 dB of its loudest were found, and 65 to 81 % of the others kept out.
"""

from __future__ import annotations

import numpy as np

from unmuffle.measure.reference.paired_frames import SILENT_BELOW
from unmuffle.measure.spectra.bands import band_power, third_octave_bands
from unmuffle.measure.spectra.power import INAUDIBLE_DBFS, PowerSpectra, grid_frames, to_db
from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.grid import Grid

_LOWEST_HZ, _BANDS = 200.0, 14
_QUIET_SHARE, _LOUD_SHARE = 0.10, 0.95
_WAY_UP = 0.25
_FRAMES_TOGETHER = 5
_LEAST_CONTRAST_DB = 5.0
"""Steady noise of any colour has less between its percentiles."""


def sounding_frames(clean: FloatArray, grid: Grid) -> BoolArray:
    """Return which frames are less than 40 dB below the loudest one, in the channel where they are loudest."""
    level = np.concatenate(
        [np.square(frames, dtype=np.float64).mean(axis=2).max(axis=0) for frames in grid_frames(clean, grid)]
    )
    return np.logical_and(level > 0.0, level >= SILENT_BELOW * level.max())


def speech_frames(noisy: FloatArray, grid: Grid) -> BoolArray:
    """Return which frames hold speech; all that are not digital silence where that cannot be told."""
    from scipy.ndimage import uniform_filter1d

    edges_hz = third_octave_bands(grid.sample_rate, _LOWEST_HZ).edges_hz[: _BANDS + 1]
    spectra = PowerSpectra(grid.window)
    power = np.concatenate(
        [band_power(spectra(frames).mean(axis=0), grid.bin_hz, edges_hz) for frames in grid_frames(noisy, grid)]
    )
    heard: BoolArray = np.any(power, axis=1)
    if not heard.any():
        return heard
    smooth = uniform_filter1d(power, _FRAMES_TOGETHER, axis=0)
    level_db = np.maximum(to_db(smooth), INAUDIBLE_DBFS)
    rise_db = (level_db - np.quantile(level_db[heard], _QUIET_SHARE, axis=0)).mean(axis=1)
    low, high = np.quantile(rise_db[heard], (_QUIET_SHARE, _LOUD_SHARE))
    if high - low < _LEAST_CONTRAST_DB:
        return heard
    return np.logical_and(heard, rise_db > low + _WAY_UP * (high - low))
