"""The bandwidth found is the one the signal was given."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from measure_signals import low_passed, noise, speech_like

from unmuffle.measure import BandwidthMeter, detect_bandwidth

CUTS = [
    (8000, 2500.0),
    (16000, 3400.0),
    (16000, 5500.0),
    (22050, 7000.0),
    (44100, 11025.0),
    (44100, 16000.0),
    (48000, 4000.0),
    (48000, 16000.0),
    (48000, 20000.0),
    (96000, 24000.0),
    (192000, 22050.0),
]


@pytest.mark.parametrize(("rate", "cutoff_hz"), CUTS)
def test_band_limited_noise(rate, cutoff_hz):
    found = detect_bandwidth(0.1 * low_passed(noise(rate, 3.0), rate, cutoff_hz), rate)
    assert found.limited
    assert found.hz == pytest.approx(cutoff_hz, rel=0.05)


@pytest.mark.parametrize(("rate", "cutoff_hz"), CUTS)
def test_band_limited_speech_in_16_bits(rate, cutoff_hz):
    speech = low_passed(speech_like(rate, 6.0), rate, cutoff_hz)
    found = detect_bandwidth(np.round(32767.0 * speech) / 32767.0, rate)
    assert found.limited
    assert found.hz == pytest.approx(cutoff_hz, rel=0.05)


@pytest.mark.parametrize("low_rate", [8000, 16000, 24000])
@pytest.mark.parametrize("rate", [44100, 48000])
def test_upsampled_speech_has_the_bandwidth_of_its_old_rate(low_rate, rate):
    found = detect_bandwidth(soxr.resample(speech_like(low_rate, 6.0), low_rate, rate), rate)
    assert found.limited
    assert found.hz == pytest.approx(0.5 * low_rate, rel=0.05)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 48000, 192000])
@pytest.mark.parametrize("signal", [noise, speech_like])
def test_full_band_is_half_the_rate(rate, signal):
    found = detect_bandwidth(0.1 * signal(rate, 4.0), rate)
    assert not found.limited
    assert found.hz == pytest.approx(0.5 * rate)


@pytest.mark.parametrize("db_per_octave", [6.0, 12.0, 18.0, 24.0])
def test_a_natural_roll_off_is_no_limit(db_per_octave):
    spectrum = np.fft.rfft(noise(48000, 4.0))
    hz = np.fft.rfftfreq(192000, 1.0 / 48000)
    spectrum *= np.maximum(hz / 500.0, 1.0) ** (-db_per_octave / 6.02)
    audio = np.fft.irfft(spectrum)
    audio = audio / np.abs(audio).max() + 1e-5 * noise(48000, 4.0, 1)
    assert not detect_bandwidth(audio, 48000).limited


def test_a_click_does_not_widen_the_band():
    audio = low_passed(speech_like(48000, 6.0), 48000, 8000.0)
    audio[100000] = 0.9
    assert detect_bandwidth(audio, 48000).hz == pytest.approx(8000.0, rel=0.05)


def test_one_full_band_channel_is_enough():
    narrow = low_passed(noise(48000, 2.0), 48000, 8000.0)
    assert not detect_bandwidth(np.stack([narrow, noise(48000, 2.0, 1)]), 48000).limited


def test_level_does_not_matter():
    audio = low_passed(speech_like(48000, 4.0), 48000, 8000.0)
    levels = [detect_bandwidth(gain * audio, 48000).hz for gain in (1e-3, 1.0, 30.0)]
    assert levels == pytest.approx([levels[0]] * 3, rel=0.01)


@pytest.mark.parametrize("audio", [np.zeros(48000), np.ones(1), np.ones(1000)])
def test_nothing_to_measure(audio):
    assert detect_bandwidth(audio, 48000).hz is None


def test_before_any_sample():
    assert BandwidthMeter(48000).result().hz is None
