"""Tones that are there all the time are found with their frequency and level; voices and noise are none."""

from __future__ import annotations

import numpy as np
import pytest

from unmuffle.measure.spectra import analyze_spectrum

RATE = 16_000


def sine(hz: float, dbfs: float, seconds: float = 6.0) -> np.ndarray:
    """A sine whose mean square is ``dbfs``."""
    time = np.arange(round(RATE * seconds)) / RATE
    return 10.0 ** (dbfs / 20.0) * np.sqrt(2.0) * np.sin(2.0 * np.pi * hz * time)


def noise(dbfs: float, seconds: float = 6.0, seed: int = 0) -> np.ndarray:
    return 10.0 ** (dbfs / 20.0) * np.random.default_rng(seed).standard_normal(round(RATE * seconds))


@pytest.mark.parametrize("hz", [50.0, 60.4, 1000.0, 3333.3, 7001.0])
def test_frequency_and_level_of_a_tone_in_noise(hz):
    (tone,) = analyze_spectrum(sine(hz, -35.0) + noise(-50.0), RATE).tones
    assert tone.hz == pytest.approx(hz, abs=0.2)
    assert tone.level_dbfs == pytest.approx(-35.0, abs=0.5)
    # The noise of -50 dBFS has -83.5 dB in a bin of 2 Hz that passes 3 Hz of it.
    assert tone.prominence_db == pytest.approx(-35.0 + 84.3, abs=4.0)


def test_lines_of_hum_are_found_below_a_voice(noisy_speech):
    voice = noisy_speech(RATE, 12.0)[0]
    hum = sine(50.0, -40.0, 12.0) + sine(150.0, -45.0, 12.0)
    tones = analyze_spectrum(0.1 * voice + hum, RATE).tones
    found = [(round(tone.hz), round(tone.level_dbfs)) for tone in tones]
    assert found[:2] == [(50, -40), (150, -45)]


def test_a_moving_voice_and_noise_hold_no_tone():
    time = np.arange(12 * RATE) / RATE
    pitch = 140.0 * (1.0 + 0.2 * np.sin(2.0 * np.pi * 0.7 * time))
    phase = 2.0 * np.pi * np.cumsum(pitch) / RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 20)) * np.clip(np.sin(2.0 * np.pi * 3.0 * time), 0.0, None)
    assert analyze_spectrum(0.1 * voice + noise(-60.0, 12.0), RATE).tones == ()
    for seed in range(5):
        assert analyze_spectrum(noise(-20.0, 3.0, seed), RATE).tones == ()


def test_a_tone_that_stops_is_not_steady():
    beeps = sine(1000.0, -20.0) * (np.arange(6 * RATE) < 2 * RATE)
    assert analyze_spectrum(beeps + noise(-60.0), RATE).tones == ()


def test_each_channel_has_its_own():
    stereo = np.stack([sine(440.0, -30.0) + noise(-60.0), sine(2000.0, -20.0) + noise(-60.0, seed=1)])
    assert [(tone.channel, round(tone.hz)) for tone in analyze_spectrum(stereo, RATE).tones] == [(1, 2000), (0, 440)]
