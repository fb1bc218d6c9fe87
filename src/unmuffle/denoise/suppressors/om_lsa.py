"""Optimally modified log-spectral amplitude estimation (OM-LSA).

I. Cohen, "Optimal speech enhancement under signal presence uncertainty using log-spectral amplitude estimator", IEEE
Signal Process. Lett. 9(4), 2002: the gain, the probability of presence, and the a priori absence from the a priori SNR
averaged over near bins, far bins and the frame. Our far average is a plain one.

Not from the paper: by default the a priori SNR is smoothed in the cepstrum, and the gains fall off below 70 Hz, where
there is much rumble and little voice, like those of a low-cut switch.
"""

from __future__ import annotations

import numpy as np

from unmuffle.denoise.a_priori import AprioriSnr, CepstralSmoothing
from unmuffle.denoise.gains import log_mmse_gain
from unmuffle.denoise.noise import NoiseEstimator, SppMmse
from unmuffle.denoise.noise.base import smooth_over_bins
from unmuffle.denoise.suppressors.a_priori import AprioriSuppressor
from unmuffle.errors import InvalidParameterError
from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.grid import Grid

SMOOTHING_S = 0.045
NEAR_HZ, FAR_HZ = 31.25, 470.0
ABSENT_DB, PRESENT_DB = -10.0, -5.0
"""Mean a priori SNR at which speech is taken to be surely absent and surely present."""
QUIET_PEAK_DB, LOUD_PEAK_DB = 0.0, 10.0
MOST_ABSENCE = 0.95
SPEECH_BAND_HZ = (100.0, 4000.0)
HIGHPASS_ORDER = 4


class OmLsa(AprioriSuppressor):
    """Log-MMSE where there is speech, a constant floor where there is none, the geometric mean in between.

    Parameters
    ----------
    noise : NoiseEstimator, optional
        ``SppMmse`` with an overestimation of 1 dB unless given.
    a_priori : AprioriSnr, optional
        ``CepstralSmoothing`` unless given.
    floor_db : float, default -18
        Gain in dB where there is no speech.
    highpass_hz : float, default 70
        Where a fourth-order high-pass has fallen by 3 dB; 0 for none.
    """

    def __init__(
        self,
        noise: NoiseEstimator | None = None,
        a_priori: AprioriSnr | None = None,
        floor_db: float = -18.0,
        highpass_hz: float = 70.0,
    ) -> None:
        super().__init__(noise or SppMmse(overestimation_db=1.0), a_priori or CepstralSmoothing())
        if not floor_db <= 0.0:
            raise InvalidParameterError(f"floor_db is {floor_db!r}; it must be 0 dB or less, for instance -20")
        self._floor = 10.0 ** (floor_db / 20.0)
        self._highpass_hz = highpass_hz

    def _prepare(self, grid: Grid, channels: int) -> None:
        super()._prepare(grid, channels)
        self._pole = grid.smoothing(SMOOTHING_S)
        self._near = max(1, round(NEAR_HZ / grid.bin_hz))
        self._far_mean = _PlainMean(channels, grid.bins, round(FAR_HZ / grid.bin_hz))
        frequencies = grid.frequencies_hz
        low, high = np.searchsorted(frequencies, SPEECH_BAND_HZ)
        self._speech_band = slice(int(low), int(high))
        ratio = self._highpass_hz / np.maximum(frequencies, 1.0)
        self._highpass = (1.0 / np.sqrt(1.0 + ratio ** (2 * HIGHPASS_ORDER))).astype(np.float32)
        self._mean_snr: FloatArray = np.empty((channels, grid.bins), np.float32)
        self._frame_snr: FloatArray = np.empty((channels, 1), np.float32)
        self._peak_db: FloatArray = np.empty((channels, 1), np.float32)

    def _reset(self, channels: BoolArray) -> None:
        super()._reset(channels)
        self._mean_snr[channels] = 0.0
        self._frame_snr[channels] = 0.0
        self._peak_db[channels] = QUIET_PEAK_DB

    def _gain_of(self, a_priori_snr: FloatArray, a_posteriori_snr: FloatArray) -> FloatArray:
        return log_mmse_gain(a_priori_snr, a_posteriori_snr)

    def _weigh(self, gain: FloatArray, a_priori_snr: FloatArray, a_posteriori_snr: FloatArray) -> FloatArray:
        presence = self._presence(a_priori_snr, a_posteriori_snr)
        return np.power(gain / self._floor, presence) * (self._floor * self._highpass)

    def _presence(self, a_priori_snr: FloatArray, a_posteriori_snr: FloatArray) -> FloatArray:
        absence = np.minimum(1.0 - self._a_priori_presence(a_priori_snr), MOST_ABSENCE)
        v = a_priori_snr * a_posteriori_snr / (1.0 + a_priori_snr)
        return 1.0 / (1.0 + absence / (1.0 - absence) * (1.0 + a_priori_snr) * np.exp(-v))

    def _a_priori_presence(self, a_priori_snr: FloatArray) -> FloatArray:
        self._mean_snr += (1.0 - self._pole) * (a_priori_snr - self._mean_snr)
        near = _likelihood(_db(smooth_over_bins(self._mean_snr, self._near)))
        near *= _likelihood(_db(self._far_mean.of(self._mean_snr)))
        near *= self._presence_in_frame()
        return near

    def _presence_in_frame(self) -> FloatArray:
        """How likely the frame [channels, 1] has speech: yes while its level rises, then by its fall from the peak."""
        snr = self._mean_snr[:, self._speech_band].mean(axis=-1, keepdims=True)
        snr_db = _db(snr)
        rising = snr > self._frame_snr
        self._frame_snr[:] = snr
        np.copyto(self._peak_db, np.clip(snr_db, QUIET_PEAK_DB, LOUD_PEAK_DB), where=rising & (snr_db > ABSENT_DB))
        present = np.where(rising, np.float32(1.0), _likelihood(snr_db - self._peak_db))
        return np.where(snr_db > ABSENT_DB, present, np.float32(0.0))


def _likelihood(snr_db: FloatArray) -> FloatArray:
    likelihood = (snr_db - ABSENT_DB) * (1.0 / (PRESENT_DB - ABSENT_DB))
    np.maximum(likelihood, 0.0, out=likelihood)
    return np.minimum(likelihood, 1.0, out=likelihood)


def _db(snr: FloatArray) -> FloatArray:
    return 10.0 * np.log10(np.maximum(snr, 1e-10))


class _PlainMean:
    """Mean of each bin [channels, bins] and those at most so far away, of those that there are."""

    def __init__(self, channels: int, bins: int, half_width: int) -> None:
        places = np.arange(bins)
        present = np.minimum(places + half_width, bins - 1) - np.maximum(places - half_width, 0) + 1
        self._share = (1.0 / present).astype(np.float32)
        self._inner = slice(half_width + 1, half_width + 1 + bins)
        self._span = 2 * half_width + 1
        # In float64, because a strong bin must not swallow the weak ones that are added to it. Before the first bin
        # the sum is 0, after the last it stays.
        self._sums = np.zeros((channels, bins + self._span))

    def of(self, spectrum: FloatArray) -> FloatArray:
        np.cumsum(spectrum, axis=1, dtype=np.float64, out=self._sums[:, self._inner])
        self._sums[:, self._inner.stop :] = self._sums[:, self._inner.stop - 1 : self._inner.stop]
        sums = self._sums[:, self._span :] - self._sums[:, : -self._span]
        return sums.astype(np.float32) * self._share
