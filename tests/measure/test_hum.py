"""Hum is found at the frequency and level it was added with, and voices are not taken for it."""

from __future__ import annotations

import numpy as np
import pytest
from measure_signals import noise, speech_like

from unmuffle.measure import HumMeter, detect_hum

HARMONICS_DB = {1: 0.0, 2: -8.0, 3: -4.0, 5: -10.0}


def hum(rate: int, seconds: float, hz: float, level_dbfs: float) -> np.ndarray:
    """Return lines whose powers add up to the level."""
    time = np.arange(round(rate * seconds)) / rate
    total = sum(
        np.sqrt(2.0) * 10.0 ** (db / 20.0) * np.sin(2.0 * np.pi * k * hz * time + k) for k, db in HARMONICS_DB.items()
    )
    return total * 10.0 ** (level_dbfs / 20.0) / np.sqrt(sum(10.0 ** (db / 10.0) for db in HARMONICS_DB.values()))


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize("hz", [50.0, 60.0, 49.6, 60.4])
def test_hum_under_speech(rate, hz):
    audio = speech_like(rate, 8.0) + hum(rate, 8.0, hz, -45.0) + 1e-4 * noise(rate, 8.0)
    found = detect_hum(audio, rate)
    assert found.detected
    assert found.mains_hz == round(hz, -1)
    assert found.fundamental_hz == pytest.approx(hz, abs=0.1)
    assert found.level_dbfs == pytest.approx(-45.0, abs=3.0)


def test_lines_have_their_levels_and_prominence():
    audio = hum(16000, 10.0, 50.0, -40.0) + 1e-4 * noise(16000, 10.0)
    found = detect_hum(audio, 16000)
    assert [line.hz for line in found.lines[:4]] == pytest.approx([50.0, 150.0, 100.0, 250.0], abs=0.05)
    first = found.lines[0].level_dbfs
    assert [line.level_dbfs - first for line in found.lines[:4]] == pytest.approx([0.0, -4.0, -8.0, -10.0], abs=0.5)
    assert found.level_dbfs == pytest.approx(-40.0, abs=0.5)
    assert found.lines[0].prominence_db > 25.0


def test_a_pure_fundamental_is_hum():
    tone = 0.01 * np.sin(2.0 * np.pi * 60.0 * np.arange(80000) / 16000)
    found = detect_hum(tone + 1e-4 * noise(16000, 5.0), 16000)
    assert found.mains_hz == 60
    assert found.level_dbfs == pytest.approx(-43.0, abs=0.5)


def test_drifting_hum_is_found():
    time = np.arange(20 * 16000) / 16000
    phase = 2.0 * np.pi * np.cumsum(50.0 + 0.3 * np.sin(2.0 * np.pi * time / 20.0)) / 16000
    audio = 0.01 * (np.sin(phase) + 0.5 * np.sin(3.0 * phase)) + 3e-4 * noise(16000, 20.0)
    assert detect_hum(audio, 16000).mains_hz == 50


@pytest.mark.parametrize("pitch_hz", [100.0, 110.0, 120.0, 150.0, 200.0])
def test_speech_is_no_hum(pitch_hz):
    for seed in range(4):
        audio = speech_like(16000, 8.0, seed, pitch_hz) + 1e-4 * noise(16000, 8.0, seed)
        assert detect_hum(audio, 16000).detected is False


@pytest.mark.parametrize("pitch_hz", [100.0, 120.0, 150.0, 180.0, 220.0])
def test_a_voice_held_at_one_pitch_is_no_hum(pitch_hz):
    time = np.arange(10 * 16000) / 16000
    voice = sum(np.sin(2.0 * np.pi * k * pitch_hz * time) / k for k in range(1, 20))
    assert detect_hum(0.1 * voice + 1e-3 * noise(16000, 10.0), 16000).detected is False


@pytest.mark.parametrize("seconds", [2.0, 4.0, 10.0])
def test_noise_is_no_hum(seconds):
    for seed in range(20):
        hiss = noise(8000, seconds, seed)
        rumble = np.cumsum(hiss)
        assert detect_hum(0.1 * hiss, 8000).detected is False
        assert detect_hum(0.1 * rumble / np.abs(rumble).max(), 8000).detected is False


def test_hum_in_one_of_two_channels_is_found():
    quiet = 1e-4 * noise(16000, 5.0)
    found = detect_hum(np.stack([quiet, quiet + hum(16000, 5.0, 50.0, -40.0)]), 16000)
    assert found.detected
    assert found.level_dbfs == pytest.approx(-43.0, abs=0.5)


@pytest.mark.parametrize("audio", [np.zeros(80000), np.ones(1), 0.1 * noise(16000, 1.9)])
def test_nothing_to_measure(audio):
    assert detect_hum(audio, 16000).detected is None


def test_before_any_sample():
    assert HumMeter(48000).result().detected is None
