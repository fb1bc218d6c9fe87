"""The estimate follows the ratio that speech and noise were mixed at."""

from __future__ import annotations

import numpy as np
import pytest
from measure_signals import active_power, noise, speech_like

from unmuffle.measure import SnrMeter, estimate_snr

RATIOS_DB = [0.0, 10.0, 20.0, 30.0]


def mix(rate: int, ratio_db: float, seed: int, colour: float = 0.0) -> np.ndarray:
    speech = speech_like(rate, 8.0, seed, pitch_hz=110.0 + 30.0 * seed)
    hiss = noise(rate, 8.0, 100 + seed)
    if colour:
        spectrum = np.fft.rfft(hiss) * np.maximum(np.fft.rfftfreq(hiss.size, 1.0 / rate), 50.0) ** -colour
        hiss = np.fft.irfft(spectrum, hiss.size)
    gain = np.sqrt(active_power(speech, rate) / np.square(hiss).mean() * 10.0 ** (-ratio_db / 10.0))
    return speech + gain * hiss


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("ratio_db", RATIOS_DB)
def test_speech_in_steady_noise(rate, ratio_db):
    found = [estimate_snr(mix(rate, ratio_db, seed), rate).db for seed in range(5)]
    assert np.median(np.abs(np.array(found) - ratio_db)) < 3.0


def test_more_noise_means_a_lower_estimate():
    for seed, colour in [(0, 0.0), (1, 0.5), (2, 0.0)]:
        found = [estimate_snr(mix(16000, ratio_db, seed, colour), 16000).db for ratio_db in RATIOS_DB]
        assert np.all(np.diff(found) > 3.0)


def test_noise_alone_is_low_and_speech_alone_high():
    assert estimate_snr(0.1 * noise(16000, 6.0), 16000).db < -3.0
    assert estimate_snr(speech_like(16000, 6.0) + 1e-5 * noise(16000, 6.0), 16000).db > 30.0


def test_level_does_not_matter():
    audio = mix(16000, 10.0, 0)
    assert estimate_snr(0.01 * audio, 16000).db == pytest.approx(estimate_snr(audio, 16000).db, abs=0.2)


def test_digital_silence_around_does_not_matter():
    audio = mix(16000, 10.0, 0)
    silence = np.zeros(80000)
    padded = np.concatenate([silence, audio, silence])
    assert estimate_snr(padded, 16000).db == pytest.approx(estimate_snr(audio, 16000).db, abs=0.5)


@pytest.mark.parametrize("audio", [np.zeros(48000), np.ones(1), 0.1 * noise(16000, 0.5)])
def test_nothing_to_measure(audio):
    assert estimate_snr(audio, 16000).db is None


def test_before_any_sample():
    assert SnrMeter(48000).result().db is None
