"""Pairs of clean and damaged speech, and the measures that take them."""

from __future__ import annotations

import numpy as np
from measure_signals import noise, speech_like

from unmuffle import measure

OWN = (
    measure.snr_db,
    measure.segmental_snr_db,
    measure.si_sdr_db,
    measure.log_spectral_distance_db,
    measure.cepstral_distance_db,
    measure.frequency_weighted_segmental_snr_db,
    measure.log_likelihood_ratio,
    measure.weighted_spectral_slope,
)
"""Those that need no other package."""


def clean_and_noisy(rate: int, snr_db: float, seconds: float = 2.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Speech and its mix with white noise at a whole-file SNR, float32."""
    clean = speech_like(rate, seconds, seed)
    disturbance = noise(rate, seconds, seed + 1)
    scale = np.sqrt(np.square(clean).sum() / np.square(disturbance).sum() / 10.0 ** (snr_db / 10.0))
    return clean.astype(np.float32), (clean + scale * disturbance).astype(np.float32)


def delayed(audio: np.ndarray, samples: float) -> np.ndarray:
    """The same audio later by any part of a sample, by the phase of a spectrum padded against wrapping."""
    size = 2 * audio.size
    turn = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size * samples)
    return np.fft.irfft(np.fft.rfft(audio, size) * turn, size)[: audio.size]
