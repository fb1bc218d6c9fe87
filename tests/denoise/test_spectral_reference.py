"""The spectral processor equals the textbook: one loop in double precision, log-MMSE with a fixed noise spectrum."""

from __future__ import annotations

import numpy as np
import pytest
from denoise_signals import RATES, frames_of, make_noise, noisy_voice, rms
from scipy.special import exp1

from unmuffle.denoise import SpectralProcessor
from unmuffle.denoise.noise import NoiseProfile
from unmuffle.denoise.suppressors import LogMmse
from unmuffle.signal.grid import grid_for

WEIGHT, FLOOR = 0.92, 0.01


def textbook(audio: np.ndarray, noise: np.ndarray, hop: int) -> tuple[np.ndarray, np.ndarray]:
    """Gains [frames, bins] and output [samples] of Ephraim and Malah's log-MMSE estimator."""
    noise_psd = np.mean(np.abs(frames_of(noise, hop)[1:]) ** 2, axis=0)
    spectra = frames_of(np.concatenate((audio, np.zeros(2 * hop - audio.size % hop))), hop)
    window = np.sin(np.pi * (np.arange(2 * hop) + 0.5) / (2 * hop))
    gains = np.zeros(spectra.shape)
    output = np.zeros((len(spectra) + 1) * hop)
    amplitude = np.zeros(hop + 1)
    for frame, spectrum in enumerate(spectra):
        gamma = np.abs(spectrum) ** 2 / noise_psd
        xi = WEIGHT * amplitude**2 / noise_psd + (1 - WEIGHT) * np.maximum(gamma - 1, 0)
        xi = np.maximum(xi, FLOOR)
        v = gamma * xi / (1 + xi)
        gains[frame] = np.minimum(xi / (1 + xi) * np.exp(exp1(np.maximum(v, 1e-30)) / 2), 1.0)
        amplitude = gains[frame] * np.abs(spectrum)
        output[frame * hop : (frame + 2) * hop] += window * np.fft.irfft(gains[frame] * spectrum)
    return gains, output[hop : hop + audio.size]


@pytest.fixture(params=RATES)
def rate(request):
    return request.param


def test_log_mmse_on_a_noise_profile(rate):
    hop = grid_for(rate).hop
    mixture, _ = noisy_voice("pink", rate, 2.3, snr_db=8.0)
    noise = make_noise("pink", rate, 1.0, 9, level=0.02)
    gains, output = textbook(mixture[0], noise[0], hop)

    processor = SpectralProcessor(LogMmse(NoiseProfile(noise, rate)), rate)
    seen = []
    ask = processor.suppressor.gains

    def listen(spectra):
        found = ask(spectra)
        seen.append(found[:, 0].copy())
        return found

    processor.suppressor.gains = listen
    found = np.concatenate((processor.process(mixture), processor.flush()), axis=1)[0]
    assert found.shape == output.shape
    assert rms(found - output) < 1e-4 * rms(output)
    compared = np.concatenate(seen)[: len(gains) - 2]
    np.testing.assert_allclose(compared, gains[: len(compared)], rtol=1e-3)
    assert len(compared) > 100
    assert compared.min() < 0.08
    assert compared.max() > 0.99
