"""Magnitude spectral subtraction.

S. F. Boll, "Suppression of acoustic noise in speech using spectral subtraction", IEEE Trans. ASSP 27(2), 1979:
its subtraction, magnitude averaging (over the past frames only) and half-wave rectification. Left out: residual noise
reduction, which needs the frame after, and the attenuation in pauses, which needs a speech detector; a constant floor
stands in for both.
"""

from __future__ import annotations

import numpy as np

from unmuffle.denoise.gains import magnitude_subtraction_gain
from unmuffle.denoise.noise import MinimumStatistics, NoiseEstimator
from unmuffle.denoise.suppressors.base import NoiseSuppressor
from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.grid import Grid

MEAN_OF_RAYLEIGH = float(np.sqrt(np.pi / 4.0))
"""Mean magnitude of noise over the root of its power, for complex Gaussian bins."""


class SpectralSubtraction(NoiseSuppressor):
    """Boll's subtraction of the mean noise magnitude from the magnitude averaged over three frames.

    Parameters
    ----------
    noise : NoiseEstimator, optional
        ``MinimumStatistics`` unless given.
    floor_db : float, default -20
        Lowest gain in dB.
    averaged_s : float, default 0.048
        Time over which the noisy magnitude is averaged.
    """

    def __init__(self, noise: NoiseEstimator | None = None, floor_db: float = -20.0, averaged_s: float = 0.048) -> None:
        super().__init__(noise or MinimumStatistics())
        self._floor = 10.0 ** (floor_db / 20.0)
        self._averaged_s = averaged_s

    def _prepare(self, grid: Grid, channels: int) -> None:
        self._past: FloatArray = np.zeros((grid.frames(self._averaged_s), channels, grid.bins), np.float32)
        self._seen = np.zeros((channels, 1), np.float32)

    def _reset(self, channels: BoolArray) -> None:
        self._past[:, channels] = 0.0
        self._seen[channels] = 0.0

    def _gain(self, power: FloatArray, noise_psd: FloatArray, out: FloatArray) -> None:
        self._past[:-1] = self._past[1:]
        np.sqrt(power, out=self._past[-1])
        self._seen[:] = np.minimum(self._seen + 1.0, len(self._past))
        magnitude = self._past.sum(axis=0) / self._seen
        out[:] = magnitude_subtraction_gain(magnitude, MEAN_OF_RAYLEIGH * np.sqrt(noise_psd), self._floor)
