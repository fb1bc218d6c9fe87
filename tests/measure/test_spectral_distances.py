"""Distances between spectra and envelopes against slow loops over their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from measure_signals import low_passed, noise, speech_like
from pair_signals import clean_and_noisy
from scipy.linalg import solve_toeplitz, toeplitz

from unmuffle.errors import InvalidParameterError
from unmuffle.measure import (
    cepstral_distance_db,
    frequency_weighted_segmental_snr_db,
    log_likelihood_ratio,
    log_spectral_distance_db,
    weighted_spectral_slope,
)
from unmuffle.measure.reference.critical_bands import critical_bands

DISTANCES = (log_spectral_distance_db, cepstral_distance_db, log_likelihood_ratio, weighted_spectral_slope)


def frames_of(audio: np.ndarray, rate: int) -> list[np.ndarray]:
    """30 ms under a Hann window without its zeros, a quarter apart."""
    size = round(0.03 * rate)
    window = 0.5 * (1.0 - np.cos(2.0 * np.pi * np.arange(1, size + 1) / (size + 1)))
    return [audio[at : at + size] * window for at in range(0, audio.size - size + 1, size // 4)]


def predictor(frame: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
    autocorrelation = np.correlate(frame, frame, "full")[frame.size - 1 :][: order + 1]
    autocorrelation[0] += 1e-12 * frame.size
    return autocorrelation, np.append(1.0, solve_toeplitz(autocorrelation[:-1], -autocorrelation[1:]))


def mean_of_lowest(values: list[float]) -> float:
    return float(np.mean(sorted(values)[: int(0.95 * len(values) + 0.5)]))


@pytest.fixture(scope="module", params=[(8000, 10), (16000, 16)])
def pair(request):
    rate, order = request.param
    clean, noisy = clean_and_noisy(rate, 8.0, seconds=1.0)
    return clean, noisy, rate, order


@pytest.mark.parametrize("measure", DISTANCES)
@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_nothing_is_between_equals(measure, rate):
    clean = speech_like(rate, 1.0)
    assert measure(clean, clean, rate) == 0.0


@pytest.mark.parametrize("gain_db", [-6.0, 3.0])
def test_log_spectral_distance_of_a_gain_is_the_gain(gain_db):
    hiss = 0.1 * noise(16000, 1.0)
    louder = 10.0 ** (gain_db / 20.0) * hiss
    assert log_spectral_distance_db(hiss, louder, 16000) == pytest.approx(abs(gain_db), abs=1e-3)


@pytest.mark.parametrize("measure", [cepstral_distance_db, log_likelihood_ratio, weighted_spectral_slope])
def test_envelopes_know_no_level(measure):
    clean = speech_like(16000, 1.0) + 1e-3 * noise(16000, 1.0)
    assert measure(clean, 0.5 * clean, 16000) == pytest.approx(0.0, abs=1e-3)


def test_frequency_weighted_snr_knows_no_level():
    clean, noisy = clean_and_noisy(16000, 8.0)
    expected = frequency_weighted_segmental_snr_db(clean, noisy, 16000)
    assert frequency_weighted_segmental_snr_db(clean, 3.0 * noisy, 16000) == pytest.approx(expected, abs=1e-4)
    assert frequency_weighted_segmental_snr_db(clean, clean, 16000) == 35.0


@pytest.mark.parametrize("measure", DISTANCES)
def test_more_noise_is_further_away(measure):
    distances = [measure(*clean_and_noisy(16000, snr), 16000) for snr in (30.0, 20.0, 10.0, 0.0)]
    assert distances == sorted(distances)
    assert distances[0] < distances[-1]


def test_log_spectral_distance_against_a_slow_loop():
    clean, noisy = (audio.astype(np.float64) for audio in clean_and_noisy(16000, 8.0, seconds=1.0))
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(512) / 512)
    frames = [(clean[at : at + 512] * window, noisy[at : at + 512] * window) for at in range(0, 16000 - 511, 256)]
    energy = [one @ one for one, _ in frames]
    floor = 1e-10 * max(energy)
    distances = []
    for (one, two), own in zip(frames, energy, strict=True):
        if own >= 1e-4 * max(energy):
            levels = [10.0 * np.log10(np.maximum(np.abs(np.fft.rfft(frame)) ** 2, floor)) for frame in (one, two)]
            distances.append(np.sqrt(np.mean((levels[0] - levels[1]) ** 2)))
    assert log_spectral_distance_db(clean, noisy, 16000) == pytest.approx(np.mean(distances), abs=1e-3)


def test_log_spectral_distance_of_a_band():
    hiss = 0.1 * noise(48000, 1.0)
    damaged = low_passed(hiss, 48000, 8000.0)
    assert log_spectral_distance_db(hiss, damaged, 48000, low_hz=500.0, high_hz=7000.0) < 0.1
    assert log_spectral_distance_db(hiss, damaged, 48000, low_hz=9000.0) > 40.0


@pytest.mark.parametrize("band", [{"low_hz": 9000.0}, {"low_hz": 400.0, "high_hz": 300.0}, {"high_hz": -1.0}])
def test_an_empty_band_is_refused(band):
    with pytest.raises(InvalidParameterError, match="low_hz must be below high_hz"):
        log_spectral_distance_db(noise(16000, 1.0), noise(16000, 1.0), 16000, **band)


def test_log_likelihood_ratio_against_a_slow_loop(pair):
    clean, noisy, rate, order = pair
    ratios = []
    for one, two in list(zip(frames_of(clean, rate), frames_of(noisy, rate), strict=True))[:-1]:
        autocorrelation, own = predictor(one, order)
        _, other = predictor(two, order)
        matrix = toeplitz(autocorrelation)
        ratios.append(np.log((other @ matrix @ other) / (own @ matrix @ own)))
    assert log_likelihood_ratio(clean, noisy, rate) == pytest.approx(mean_of_lowest(ratios), rel=1e-5)


def test_cepstral_distance_against_the_logarithm_of_the_envelope(pair):
    clean, noisy, rate, order = pair
    distances = []
    for frames in zip(frames_of(clean, rate), frames_of(noisy, rate), strict=True):
        cepstra = []
        for frame in frames:
            envelope = 1.0 / np.abs(np.fft.rfft(predictor(frame, order)[1], 1 << 16)) ** 2
            cepstra.append(np.fft.irfft(np.log(envelope))[1 : order + 1])
        difference = cepstra[0] - cepstra[1]
        distances.append(min(10.0, 10.0 / np.log(10.0) * np.sqrt(2.0 * difference @ difference)))
    assert cepstral_distance_db(clean, noisy, rate) == pytest.approx(mean_of_lowest(distances), rel=1e-4)


def band_levels(frame: np.ndarray, rate: int, power: int) -> np.ndarray:
    size = 2 ** int(np.ceil(np.log2(2 * frame.size)))
    magnitude = np.abs(np.fft.fft(frame, size))[: size // 2]
    if power == 1:
        magnitude = magnitude / magnitude.sum()
    return critical_bands(rate, size) @ magnitude**power


def klatt_weights(levels: np.ndarray) -> np.ndarray:
    slope = np.diff(levels)
    weights = []
    for band in range(24):
        at = band
        if slope[band] > 0:
            while at < 24 and slope[at] > 0:
                at += 1
            peak = levels[at - 1]
        else:
            while at >= 0 and slope[at] <= 0:
                at -= 1
            peak = levels[at + 1]
        loudest = 20.0 / (20.0 + levels.max() - levels[band])
        weights.append(loudest / (1.0 + peak - levels[band]))
    return np.array(weights)


def test_weighted_spectral_slope_against_a_slow_loop(pair):
    clean, noisy, rate, _ = pair
    distances = []
    for frames in list(zip(frames_of(clean, rate), frames_of(noisy, rate), strict=True))[:-1]:
        one, two = (10.0 * np.log10(np.maximum(band_levels(frame, rate, 2), 1e-10)) for frame in frames)
        weights = 0.5 * (klatt_weights(one) + klatt_weights(two))
        distances.append((weights @ (np.diff(one) - np.diff(two)) ** 2) / weights.sum())
    assert weighted_spectral_slope(clean, noisy, rate) == pytest.approx(mean_of_lowest(distances), rel=1e-6)


def test_frequency_weighted_snr_against_a_slow_loop(pair):
    clean, noisy, rate, _ = pair
    frames = list(zip(frames_of(clean, rate), frames_of(noisy, rate), strict=True))
    energy = [float(one @ one) for one, _ in frames]
    values = []
    for (one, two), own in zip(frames, energy, strict=True):
        if own >= 1e-4 * max(energy):
            level, other = band_levels(one, rate, 1), band_levels(two, rate, 1)
            snr = 10.0 * np.log10(level**2 / np.maximum((level - other) ** 2, np.finfo(float).eps))
            values.append(np.clip(np.average(snr, weights=level**0.2), -10.0, 35.0))
    assert frequency_weighted_segmental_snr_db(clean, noisy, rate) == pytest.approx(np.mean(values), rel=1e-5)
