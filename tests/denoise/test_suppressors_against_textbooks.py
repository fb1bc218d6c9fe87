"""The parts around the gains equal slow loops in double precision, for a noise spectrum that is given."""

from __future__ import annotations

import numpy as np
import pytest
from denoise_signals import RATES, frames_of, make_noise, noise_tracking, noisy_voice
from scipy.special import exp1

from unmuffle.denoise.a_priori import CepstralSmoothing, DecisionDirected
from unmuffle.denoise.noise import NoiseProfile
from unmuffle.denoise.suppressors import MultibandSubtraction, OmLsa, Oversubtraction, SpectralSubtraction
from unmuffle.signal.grid import grid_for


@pytest.fixture(params=RATES)
def scene(request):
    """Rate, spectra [frames, bins] of a noisy voice, and the PSD that its noise is taken to have."""
    rate = request.param
    mixture, _ = noisy_voice("pink", rate, 2.5, snr_db=8.0)
    noise = make_noise("pink", rate, 1.0, 9, level=0.02)
    spectra = frames_of(mixture[0], grid_for(rate).hop)
    psd = np.mean(np.abs(frames_of(noise[0], grid_for(rate).hop)[1:]) ** 2, axis=0)
    return rate, spectra, NoiseProfile(noise, rate), psd


def ours(suppressor, rate, spectra):
    suppressor.start(grid_for(rate), 1)
    return suppressor.gains(spectra[:, None].astype(np.complex64))[:, 0]


def cosine_transform(log_spectrum):
    """Real cepstrum of a one-sided log spectrum, as the plain sum of cosines."""
    bins = len(log_spectrum)
    weights = np.r_[1.0, np.full(bins - 2, 2.0), 1.0]
    angles = np.pi * np.outer(np.arange(bins), np.arange(bins)) / (bins - 1)
    return np.cos(angles) @ (weights * log_spectrum) / (2 * (bins - 1)), angles, weights


@pytest.mark.parametrize(("rate", "half_width", "voiced"), [(8000, 2, 0.2), (16000, 2, 0.2), (48000, 6, 0.2 / 3)])
def test_cepstral_smoothing(rate, half_width, voiced):
    """Breithaupt, Gerkmann and Martin 2008: envelope up to 1.2 ms, pitch of 70 to 400 Hz, 0.125 ms to either side."""
    grid = grid_for(rate)
    power = np.abs(frames_of(noisy_voice("white", rate, 1.0, 10.0)[0][0], grid.hop)) ** 2
    noise = noise_tracking.true_psd("white", grid)
    tested, directed = CepstralSmoothing(), DecisionDirected(weight=0.95)
    tested.start(grid, 1)
    directed.start(grid, 1)
    smoothed = np.zeros(grid.bins)
    quefrency_ms = 1e3 * np.arange(grid.bins) / rate
    voiced_frames = 0
    for frame in power:
        single, noise_single = frame[None].astype(np.float32), noise[None].astype(np.float32)
        found, _ = tested.estimate(single, noise_single)
        xi_directed, gamma = directed.estimate(single, noise_single)
        log_power = np.log(np.maximum(frame / noise - 1, 10**-1.3) * noise)
        cepstrum, angles, weights = cosine_transform(log_power)
        beta = np.where(quefrency_ms < 0.2, 0.0, np.where(quefrency_ms < 1.2, 0.5, 0.95))
        places = range(rate // 400, rate // 70)
        peak = max(places, key=lambda place: cepstrum[place])
        if cepstrum[peak] >= voiced:
            voiced_frames += 1
            beta[peak - half_width : peak + half_width + 1] = 0.2
        smoothed = beta * smoothed + (1 - beta) * cepstrum
        xi = np.exp(np.cos(angles) @ (weights * smoothed)) / noise
        expected = np.clip(np.sqrt(xi * xi_directed[0]), 0.01, 1e6)
        np.testing.assert_allclose(found[0], expected, rtol=2e-3)
        gain = xi_directed / (1 + xi_directed)
        tested.remember(single, gain)
        directed.remember(single, gain)
        np.testing.assert_allclose(gamma[0], frame / noise, rtol=1e-5)
    assert 5 < voiced_frames <= len(power)
    assert rate != 16000 or voiced_frames < len(power)


def test_multiband_subtraction(scene):
    rate, spectra, profile, psd = scene
    nyquist = rate / 2
    frequencies = np.arange(len(psd)) * nyquist / (len(psd) - 1)
    edges = [edge for edge in (0, 1e3, 2e3, 3e3, 4e3, 6e3, 8e3, 12e3, 16e3, 24e3) if edge < nyquist]
    powers = np.concatenate((np.zeros((2, len(psd))), np.abs(spectra) ** 2))
    expected = np.zeros(spectra.shape)
    for frame in range(len(spectra)):
        smoothed = (0.09 * powers[frame] + 0.25 * powers[frame + 1] + 0.32 * powers[frame + 2]) / 0.66
        for start, end in zip(edges, [*edges[1:], np.inf], strict=True):
            band = (frequencies >= start - 1e-3) & (frequencies < end - 1e-3)
            snr_db = 10 * np.log10(smoothed[band].sum() / psd[band].sum())
            alpha = 4 - 3 / 20 * min(max(snr_db, -5), 20)
            delta = 1.0 if start < 1000 else 2.5 if start < nyquist - 2000 else 1.5
            clean = np.maximum(smoothed[band] - alpha * delta * psd[band], 0.002 * smoothed[band])
            expected[frame, band] = np.sqrt(np.minimum((clean + 0.05 * smoothed[band]) / smoothed[band], 1.0))
    np.testing.assert_allclose(ours(MultibandSubtraction(profile), rate, spectra), expected, rtol=1e-3)


def test_oversubtraction(scene):
    rate, spectra, profile, psd = scene
    power = np.abs(spectra) ** 2
    snr_db = 10 * np.log10(power.sum(axis=1, keepdims=True) / psd.sum())
    alpha = 4 - 3 / 20 * np.clip(snr_db, -5, 20)
    expected = np.sqrt(np.minimum(np.maximum(power - alpha * psd, 0.02 * psd) / power, 1.0))
    found = ours(Oversubtraction(profile), rate, spectra)
    # Where nearly all is subtracted, the difference has the error of its two terms.
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_spectral_subtraction(scene):
    rate, spectra, profile, psd = scene
    magnitude = np.abs(spectra)
    averaged = np.array([magnitude[max(0, k - 2) : k + 1].mean(axis=0) for k in range(len(magnitude))])
    expected = np.maximum(1 - np.sqrt(np.pi * psd / 4) / averaged, 0.1)
    np.testing.assert_allclose(ours(SpectralSubtraction(profile), rate, spectra), expected, rtol=1e-3, atol=1e-5)


def test_om_lsa(scene):
    """Cohen 2002 with a decision-directed a priori SNR, and a high-pass of order 4 at 70 Hz."""
    rate, spectra, profile, psd = scene
    grid = grid_for(rate)
    frequencies = grid.frequencies_hz.astype(np.float64)
    highpass = 1 / np.sqrt(1 + (70 / np.maximum(frequencies, 1)) ** 8)
    far = round(470 / grid.bin_hz)
    band = slice(*np.searchsorted(frequencies, (100, 4000)))
    floor, pole = 10 ** (-18 / 20), np.exp(-grid.hop_s / 0.045)
    voice, zeta, before, peak_db = np.zeros(len(psd)), np.zeros(len(psd)), 0.0, 0.0

    def likelihood(snr):
        return np.clip((10 * np.log10(np.maximum(snr, 1e-10)) + 10) / 5, 0, 1)

    expected = np.zeros(spectra.shape)
    for frame, power in enumerate(np.abs(spectra) ** 2):
        gamma = power / psd
        xi = np.maximum(0.92 * voice / psd + 0.08 * np.maximum(gamma - 1, 0), 0.01)
        v = gamma * xi / (1 + xi)
        gain = np.minimum(xi / (1 + xi) * np.exp(exp1(np.maximum(v, 1e-30)) / 2), 1)
        voice = gain**2 * power
        zeta = pole * zeta + (1 - pole) * xi
        mirrored = np.pad(zeta, 1, mode="reflect")
        near = likelihood(0.25 * mirrored[:-2] + 0.5 * mirrored[1:-1] + 0.25 * mirrored[2:])
        wide = likelihood(np.array([zeta[max(0, k - far) : k + far + 1].mean() for k in range(len(psd))]))
        mean = zeta[band].mean()
        mean_db = 10 * np.log10(mean)
        if mean_db <= -10:
            in_frame = 0.0
        elif mean > before:
            peak_db, in_frame = min(max(mean_db, 0), 10), 1.0
        else:
            in_frame = min(max((mean_db - peak_db + 10) / 5, 0), 1)
        before = mean
        q = np.minimum(1 - near * wide * in_frame, 0.95)
        presence = 1 / (1 + q / (1 - q) * (1 + xi) * np.exp(-v))
        expected[frame] = gain**presence * floor ** (1 - presence) * highpass
    found = ours(OmLsa(profile, DecisionDirected()), rate, spectra)
    np.testing.assert_allclose(found, expected, rtol=2e-3)
