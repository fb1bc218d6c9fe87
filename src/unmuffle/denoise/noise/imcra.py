"""Improved minima controlled recursive averaging (IMCRA).

I. Cohen, "Noise spectrum estimation in adverse environments: improved minima controlled recursive averaging", IEEE
Trans. Speech Audio Process. 11(5), 2003: equations 7-8 and 10-12 (recursive averages), 14-15 and 18 (smoothing and
minima), 21 (rough decision), 26-27 (second smoothing), 28-29 (speech absence). The paper's smoothing constants, given
for a hop of 8 ms, are kept as time constants; the two bias factors are those of our windows and hop.
"""

from __future__ import annotations

import numpy as np

from unmuffle.denoise.a_priori import DecisionDirected
from unmuffle.denoise.gains import log_mmse_gain
from unmuffle.denoise.noise.base import QUIETEST_PSD, NoiseEstimator
from unmuffle.denoise.noise.minima import SlidingMinimum
from unmuffle.signal.arrays import AnyArray, BoolArray, FloatArray
from unmuffle.signal.grid import Grid

SUBWINDOWS = 8
MINIMUM_BIAS = 1.68
"""Mean over minimum of the smoothed power (the paper's B_min), measured on 30 s of white noise at 16 kHz from 3 s on;
1.67 to 1.68 at 8 to 48 kHz and in pink noise. The paper has 1.66 for its frames."""
AVERAGE_BIAS = 1.55
"""By how much averaging what looks like noise misses the noise (the paper's beta, there 1.47), measured likewise, with
the bias above: true PSD over mean estimate."""


class Imcra(NoiseEstimator):
    """Recursive average of the frames, each bin weighted by the probability that it holds no speech.

    Parameters
    ----------
    span_s : float, default 0.96
        Time over which minima are taken.
    minima_time_constant_s, psd_time_constant_s : float
        Smoothing of the power that minima are taken of, and of the noise PSD where there is no speech.
    """

    GAMMA_0, GAMMA_1, ZETA_0 = 4.6, 3.0, 1.67

    def __init__(
        self,
        span_s: float = 0.96,
        minima_time_constant_s: float = 0.076,
        psd_time_constant_s: float = 0.049,
    ) -> None:
        self._span_s = span_s
        self._minima_time_constant_s = minima_time_constant_s
        self._psd_time_constant_s = psd_time_constant_s
        self._a_priori = DecisionDirected(weight=0.85, floor_db=-18.0)

    def _prepare(self, grid: Grid, channels: int) -> None:
        self._minima_pole = grid.smoothing(self._minima_time_constant_s)
        self._psd_pole = grid.smoothing(self._psd_time_constant_s)
        shape = (channels, grid.bins)
        per_subwindow = grid.frames(self._span_s / SUBWINDOWS)
        self._first = SlidingMinimum(*shape, SUBWINDOWS, per_subwindow)
        self._second = SlidingMinimum(*shape, SUBWINDOWS, per_subwindow)
        self._smoothed: FloatArray = np.empty(shape, np.float32)
        self._smoothed_noise: FloatArray = np.empty(shape, np.float32)
        self._average: FloatArray = np.empty(shape, np.float32)
        self._a_priori.start(grid, channels)
        # Has the table of the gain made now and not in the first frame of a live stream.
        log_mmse_gain(np.ones(1, np.float32), np.ones(1, np.float32))

    def _begin(self, channels: BoolArray, power: FloatArray) -> None:
        smoothed = _over_neighbours(power[channels])
        self._smoothed[channels] = self._smoothed_noise[channels] = smoothed
        self.noise_psd[channels] = self._average[channels] = power[channels]

    def _reset(self, channels: BoolArray) -> None:
        for state in (self._smoothed, self._smoothed_noise, self._average):
            state[channels] = QUIETEST_PSD
        self._first.reset(channels)
        self._second.reset(channels)
        self._a_priori.reset(channels)

    @property
    def _state(self) -> tuple[AnyArray, ...]:
        own = (self._smoothed, self._smoothed_noise, self._average)
        return own + self._first.state + self._second.state + self._a_priori.state

    def _update(self, power: FloatArray) -> None:
        presence = self._presence(power, self._absence(power))
        pole = self._psd_pole + (1.0 - self._psd_pole) * presence
        self._average += (1.0 - pole) * (power - self._average)
        np.multiply(self._average, AVERAGE_BIAS, out=self.noise_psd)

    def _absence(self, power: FloatArray) -> FloatArray:
        """A priori probability that there is no speech, from two rounds of smoothing and minima."""
        self._smoothed += (1.0 - self._minima_pole) * (_over_neighbours(power) - self._smoothed)
        _track(self._first, self._smoothed)
        floor = MINIMUM_BIAS * self._first.minimum
        noise_like = (power < self.GAMMA_0 * floor) & (self._smoothed < self.ZETA_0 * floor)

        weight = _over_neighbours(noise_like.astype(np.float32))
        masked = _over_neighbours(np.where(noise_like, power, np.float32(0.0)))
        masked = np.divide(masked, weight, out=self._smoothed_noise.copy(), where=weight > 0.0)
        self._smoothed_noise += (1.0 - self._minima_pole) * (masked - self._smoothed_noise)
        _track(self._second, self._smoothed_noise)
        floor = MINIMUM_BIAS * self._second.minimum
        absence = np.clip((self.GAMMA_1 - power / floor) / (self.GAMMA_1 - 1.0), 0.0, 1.0)
        absence *= self._smoothed < self.ZETA_0 * floor
        return absence

    def _presence(self, power: FloatArray, absence: FloatArray) -> FloatArray:
        a_priori_snr, a_posteriori_snr = self._a_priori.estimate(power, self.noise_psd)
        self._a_priori.remember(power, np.minimum(log_mmse_gain(a_priori_snr, a_posteriori_snr), 1.0))
        v = a_priori_snr * a_posteriori_snr / (1.0 + a_priori_snr)
        odds_of_absence = absence / np.maximum(1.0 - absence, 1e-6)
        presence = 1.0 / (1.0 + odds_of_absence * (1.0 + a_priori_snr) * np.exp(-v))
        # Where absence is sure, no SNR may say otherwise: an estimate far too low would never be left again.
        presence[absence >= 1.0] = 0.0
        return presence


def _track(minima: SlidingMinimum, frame: FloatArray) -> None:
    minima.update(frame)
    ended = minima.tick()
    if ended.any():
        minima.roll(ended)
        # The next sub-window begins with this frame, so that there is always a minimum.
        np.copyto(minima.current, frame, where=ended[:, None])


def _over_neighbours(spectrum: FloatArray) -> FloatArray:
    """Weigh each bin [channels, bins] with its two neighbours by 1/4, 1/2, 1/4; the ends have one neighbour."""
    smoothed = 0.5 * spectrum
    smoothed[:, 1:] += 0.25 * spectrum[:, :-1]
    smoothed[:, :-1] += 0.25 * spectrum[:, 1:]
    smoothed[:, [0, -1]] *= 4.0 / 3.0
    return smoothed
