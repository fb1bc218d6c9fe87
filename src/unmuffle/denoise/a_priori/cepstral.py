"""The a priori SNR by selective smoothing of the cepstrum over time.

C. Breithaupt, T. Gerkmann and R. Martin, "A novel a priori SNR estimation approach based on selective cepstro-temporal
smoothing", ICASSP 2008. Speech fills few cepstral coefficients, the envelope and the pitch; these are
smoothed little, all others much, so that single outliers of the noise do not become musical tones.

Left out: smoothing of the smoothing constants themselves, and the bias correction of the log domain. Added: the result
is averaged, in dB, with the decision-directed estimate, which answers onsets faster.
"""

from __future__ import annotations

import numpy as np

from unmuffle.denoise.a_priori.base import HIGHEST_SNR, AprioriSnr
from unmuffle.denoise.a_priori.decision_directed import DecisionDirected
from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.grid import Grid

ENVELOPE_MS, FINE_ENVELOPE_MS = 0.2, 1.2
PITCH_LOWEST_HZ, PITCH_HIGHEST_HZ = 70.0, 400.0
PITCH_HALF_WIDTH_MS, PITCH_LEAST_HALF_WIDTH = 0.125, 2
VOICED_PEAK, VOICED_PEAK_RATE = 0.2, 16_000
"""Cepstrum at the pitch from which on a frame is voiced. Above the rate it is less: the wider the spectrum, the smaller
is the part of it that the harmonics fill."""


class CepstralSmoothing(AprioriSnr):
    """A priori SNR of a voice whose spectral envelope and pitch are followed, and whose rest is smoothed.

    Parameters
    ----------
    envelope_weight, pitch_weight, rest_weight : float, default 0.5, 0.2 and 0.95
        Share of the past in the finer envelope, around the pitch, and in the rest of the cepstrum. The coarse
        envelope, below 0.2 ms, is not smoothed.
    lowest_ml_snr_db : float, default -13
        Floor of the maximum-likelihood SNR whose cepstrum is smoothed, in dB.
    decision_directed : DecisionDirected, optional
        The estimate it is averaged with; of weight 0.95 unless given.
    """

    def __init__(
        self,
        envelope_weight: float = 0.5,
        pitch_weight: float = 0.2,
        rest_weight: float = 0.95,
        lowest_ml_snr_db: float = -13.0,
        decision_directed: DecisionDirected | None = None,
    ) -> None:
        self._envelope_weight = envelope_weight
        self._pitch_weight = np.float32(pitch_weight)
        self._rest_weight = rest_weight
        self._lowest_ml_snr = 10.0 ** (lowest_ml_snr_db / 10.0)
        self._decision_directed = decision_directed or DecisionDirected(weight=0.95)

    def start(self, grid: Grid, channels: int) -> None:
        """Make the state; see ``AprioriSnr``."""
        self._decision_directed.start(grid, channels)
        quefrency_ms = 1e3 * np.arange(grid.bins) / grid.sample_rate
        weights = np.where(quefrency_ms < FINE_ENVELOPE_MS, self._envelope_weight, self._rest_weight)
        self._weights = np.where(quefrency_ms < ENVELOPE_MS, 0.0, weights).astype(np.float32)
        self._pitch_range = slice(
            int(grid.sample_rate / PITCH_HIGHEST_HZ), min(grid.bins, int(grid.sample_rate / PITCH_LOWEST_HZ))
        )
        self._pitch_half_width = max(PITCH_LEAST_HALF_WIDTH, round(1e-3 * PITCH_HALF_WIDTH_MS * grid.sample_rate))
        self._voiced_peak = VOICED_PEAK * min(1.0, VOICED_PEAK_RATE / grid.sample_rate)
        self._places = np.arange(grid.bins)
        # Both halves of the symmetric cepstrum, because the real FFT has no cosine transform.
        self._cepstrum: FloatArray = np.zeros((channels, grid.window), np.float32)

    def reset(self, channels: BoolArray) -> None:
        """Forget the past; see ``AprioriSnr``."""
        self._decision_directed.reset(channels)
        self._cepstrum[channels] = 0.0

    def estimate(self, power: FloatArray, noise_psd: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return both SNRs; see ``AprioriSnr``."""
        a_priori_snr, a_posteriori_snr = self._decision_directed.estimate(power, noise_psd)
        log_snr = self._smoothed_log_power(a_posteriori_snr, noise_psd)
        log_snr -= np.log(noise_psd)
        log_snr += np.log(a_priori_snr)
        log_snr *= 0.5
        np.exp(log_snr, out=log_snr)
        return np.clip(log_snr, self._decision_directed.floor, HIGHEST_SNR, out=log_snr), a_posteriori_snr

    def remember(self, power: FloatArray, gain: FloatArray) -> None:
        """Pass on to the decision-directed estimate."""
        self._decision_directed.remember(power, gain)

    def _smoothed_log_power(self, a_posteriori_snr: FloatArray, noise_psd: FloatArray) -> FloatArray:
        """Natural logarithm of the voice power [channels, bins], smoothed in the cepstrum."""
        voice_power = np.maximum(a_posteriori_snr - 1.0, self._lowest_ml_snr)
        voice_power *= noise_psd
        bins = len(self._weights)
        cepstrum = np.fft.irfft(np.log(voice_power), self._cepstrum.shape[1])[:, :bins]
        past = self._cepstrum[:, :bins]
        cepstrum += self._weights_for(cepstrum) * (past - cepstrum)
        past[:] = cepstrum
        self._cepstrum[:, bins:] = cepstrum[:, -2:0:-1]
        return np.fft.rfft(self._cepstrum).real

    def _weights_for(self, cepstrum: FloatArray) -> FloatArray:
        """Weights of the past [channels, bins], lower around the pitch of the channels that have one."""
        range_ = cepstrum[:, self._pitch_range]
        peak = range_.argmax(axis=-1)[:, None]
        distance = np.abs(self._places - (peak + self._pitch_range.start))
        # An unvoiced channel has its peak nowhere.
        distance[range_.max(axis=-1) < self._voiced_peak] = self._pitch_half_width + 1
        return np.where(distance <= self._pitch_half_width, self._pitch_weight, self._weights)
