"""Noise tracking by minimum statistics with optimal smoothing.

R. Martin, "Noise power spectral density estimation based on optimal smoothing and minimum statistics", IEEE Trans.
Speech Audio Process. 9(5), 2001: equations 3 and 9-12 (smoothing), 17 and 20-23 (bias of the minimum),
figure 5 (search with sub-windows and local minima). Other than in the figure, the estimate is renewed in the first and
the last frame of a sub-window too.
"""

from __future__ import annotations

import numpy as np

from unmuffle.denoise.a_priori.base import HIGHEST_SNR
from unmuffle.denoise.noise.base import QUIETEST_PSD, NoiseEstimator
from unmuffle.denoise.noise.minima import SlidingMinimum
from unmuffle.signal.arrays import AnyArray, BoolArray, FloatArray
from unmuffle.signal.grid import Grid

SUBWINDOWS = 8
# M(D), the mean of the minimum of D correlated values: the paper's table III.
_SPANS = (1, 2, 5, 8, 10, 15, 20, 30, 40, 60, 80, 120, 140, 160)
_MEANS = (0.0, 0.26, 0.48, 0.58, 0.61, 0.668, 0.705, 0.762, 0.8, 0.841, 0.865, 0.89, 0.9, 0.91)
# How fast a local minimum may raise the estimate, by the mean inverse of the degrees of freedom (figure 5).
_INVERSE_DEGREES = (0.03, 0.05, 0.06)
_SLOPES = (8.0, 4.0, 2.0, 1.2)


class MinimumStatistics(NoiseEstimator):
    """Noise as the bias-compensated minimum of the smoothed power over the last 1.5 s.

    Needs no decision on speech, never mistakes a long vowel for noise, and follows a rise after about its span.

    Parameters
    ----------
    span_s : float, default 1.536
        Time over which the minimum is taken; longer than the longest sound of speech without a gap.
    """

    def __init__(self, span_s: float = 1.536) -> None:
        self._span_s = span_s

    def _prepare(self, grid: Grid, channels: int) -> None:
        per_subwindow = grid.frames(self._span_s / SUBWINDOWS)
        self._minima = SlidingMinimum(channels, grid.bins, SUBWINDOWS, per_subwindow)
        self._span_mean = float(np.interp(SUBWINDOWS * per_subwindow, _SPANS, _MEANS))
        self._sub_mean = float(np.interp(per_subwindow, _SPANS, _MEANS))
        self._span_frames, self._sub_frames = SUBWINDOWS * per_subwindow, per_subwindow
        # The smallest pole lets the smoothed power fall from a syllable to the noise within 64 ms (equation 12).
        self._slowest_decay = -grid.hop_s / 0.064
        shape = (channels, grid.bins)
        self._smoothed: FloatArray = np.empty(shape, np.float32)
        self._mean: FloatArray = np.empty(shape, np.float32)
        self._mean_square: FloatArray = np.empty(shape, np.float32)
        self._correction: FloatArray = np.empty((channels, 1), np.float32)
        self._local_minimum: BoolArray = np.zeros(shape, np.bool_)
        self._sub_estimate: FloatArray = np.empty(shape, np.float32)

    def _begin(self, channels: BoolArray, power: FloatArray) -> None:
        self.noise_psd[channels] = self._smoothed[channels] = self._mean[channels] = power[channels]
        self._mean_square[channels] = power[channels] ** 2

    def _reset(self, channels: BoolArray) -> None:
        for state in (self._smoothed, self._mean, self._sub_estimate):
            state[channels] = QUIETEST_PSD
        self._mean_square[channels] = QUIETEST_PSD**2
        self._correction[channels] = 1.0
        self._local_minimum[channels] = False
        self._minima.reset(channels)

    @property
    def _state(self) -> tuple[AnyArray, ...]:
        own = (self._smoothed, self._mean, self._mean_square, self._correction, self._local_minimum, self._sub_estimate)
        return own + self._minima.state

    def _update(self, power: FloatArray) -> None:
        pole = self._smoothing_pole(power)
        self._smoothed += (1.0 - pole) * (power - self._smoothed)
        inverse_degrees = self._inverse_degrees(pole)
        mean_inverse = inverse_degrees.mean(axis=-1, keepdims=True)
        compensation = 1.0 + 2.12 * np.sqrt(mean_inverse)
        bias = _minimum_bias(inverse_degrees, self._span_frames, self._span_mean)
        sub_bias = _minimum_bias(inverse_degrees, self._sub_frames, self._sub_mean)
        self._search(self._smoothed * compensation, bias, sub_bias, mean_inverse)

    def _smoothing_pole(self, power: FloatArray) -> FloatArray:
        ratio = self._smoothed.sum(axis=-1, keepdims=True) / power.sum(axis=-1, keepdims=True)
        # Beyond the highest SNR nothing changes but that the square leaves float32.
        correction = np.maximum(1.0 / (1.0 + (np.minimum(ratio, HIGHEST_SNR) - 1.0) ** 2), 0.7)
        self._correction += 0.3 * (correction - self._correction)
        local_snr = np.minimum(self._smoothed / self.noise_psd, HIGHEST_SNR)
        pole = 0.96 * self._correction / (1.0 + (local_snr - 1.0) ** 2)
        frame_snr = self._smoothed.sum(axis=-1, keepdims=True) / self.noise_psd.sum(axis=-1, keepdims=True)
        lowest = np.minimum(0.3, np.maximum(frame_snr, 1.0) ** self._slowest_decay)
        return np.maximum(pole, lowest)

    def _inverse_degrees(self, pole: FloatArray) -> FloatArray:
        weight = 1.0 - np.minimum(pole**2, 0.8)
        self._mean += weight * (self._smoothed - self._mean)
        self._mean_square += weight * (self._smoothed**2 - self._mean_square)
        variance = self._mean_square - self._mean**2
        full = 2.0 * self.noise_psd**2
        # Clipped before the division, which might overflow.
        return np.clip(variance, full / 256, full / 2) / full

    def _search(self, smoothed: FloatArray, bias: FloatArray, sub_bias: FloatArray, mean_inverse: FloatArray) -> None:
        minima = self._minima
        candidate = smoothed * bias
        newest = candidate < minima.current
        np.copyto(minima.current, candidate, where=newest)
        np.copyto(self._sub_estimate, smoothed * sub_bias, where=newest)
        ended = minima.tick()
        inside = newest & ~(ended | minima.starting)[:, None]
        self._local_minimum |= inside
        np.minimum(minima.minimum, self._sub_estimate, out=minima.minimum, where=inside)
        if ended.any():
            minima.roll(ended)
            slopes = np.asarray(_SLOPES, np.float32)[np.searchsorted(_INVERSE_DEGREES, mean_inverse)]
            rising = self._local_minimum & ~newest & ended[:, None] & (self._sub_estimate > minima.minimum)
            rising &= self._sub_estimate / slopes < minima.minimum
            minima.lift(rising, self._sub_estimate)
            self._local_minimum[ended] = False
        # Until the first sub-window has ended there is no minimum to speak of but that of the frames so far.
        np.copyto(self.noise_psd, np.minimum(minima.minimum, minima.current))


def _minimum_bias(inverse_degrees: FloatArray, span: int, span_mean: float) -> FloatArray:
    """By how much the minimum of so many frames lies below the mean (equation 17)."""
    degrees = (1.0 / inverse_degrees - 2.0 * span_mean) / (1.0 - span_mean)
    return 1.0 + (span - 1) * 2.0 / degrees
