"""Spectral features against librosa, and closed forms for tones and noise."""

from __future__ import annotations

import numpy as np
import pytest
from measure_signals import low_passed, noise, speech_like

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.measure.single.spectral_features import spectral_features
from unmuffle.signal.grid import grid_for


def tone(rate: int, hz: float, seconds: float = 1.0) -> np.ndarray:
    return 0.3 * np.sin(2.0 * np.pi * hz * np.arange(round(rate * seconds)) / rate)


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_agrees_with_librosa(rate):
    feature = pytest.importorskip("librosa").feature
    import librosa

    # Without pauses, so that every frame counts.
    audio = speech_like(rate, 3.0, seed=1) + 0.05 * low_passed(noise(rate, 3.0), rate, 0.2 * rate)
    grid = grid_for(rate)
    magnitude = np.abs(
        librosa.stft(audio, n_fft=grid.window, hop_length=grid.hop, window="hann", center=False, dtype=np.complex128)
    )
    options = {"S": magnitude, "freq": np.arange(grid.bins) * grid.bin_hz}
    found = spectral_features(audio, rate)
    assert found.centroid_hz == pytest.approx(feature.spectral_centroid(**options).mean(), rel=1e-4)
    assert found.bandwidth_hz == pytest.approx(feature.spectral_bandwidth(**options).mean(), rel=1e-4)
    assert found.rolloff_hz == pytest.approx(feature.spectral_rolloff(**options, roll_percent=0.85).mean(), rel=1e-4)
    assert found.flatness == pytest.approx(feature.spectral_flatness(S=magnitude).mean(), rel=1e-3)


@pytest.mark.parametrize("rate", [8000, 16000, 48000, 192000])
def test_a_tone_is_where_it_is_and_not_flat(rate):
    found = spectral_features(tone(rate, 1000.0), rate)
    assert found.centroid_hz == pytest.approx(1000.0, abs=2.0)
    assert found.rolloff_hz == pytest.approx(1000.0, abs=32.0)
    assert found.flatness < 1e-3
    # Three bins of 31.25 Hz, of a half, one and a half; in a wide band the rounding of float32, far away, adds to it.
    assert 31.25 / np.sqrt(2.0) < found.bandwidth_hz < (26.0 if rate <= 48000 else 80.0)


def test_white_noise_fills_the_band_evenly():
    found = spectral_features(0.1 * noise(16000, 20.0), 16000)
    assert found.centroid_hz == pytest.approx(4000.0, rel=0.01)
    assert found.bandwidth_hz == pytest.approx(8000.0 / np.sqrt(12.0), rel=0.02)
    assert found.rolloff_hz == pytest.approx(0.85 * 8000.0, rel=0.01)
    # Powers of single frames have an exponential distribution: the mean of its logarithm is minus Euler's constant.
    assert found.flatness == pytest.approx(np.exp(-np.euler_gamma), rel=0.01)


@pytest.mark.parametrize("feature", ["centroid_hz", "bandwidth_hz", "flatness", "rolloff_hz"])
def test_every_feature_rises_with_the_band(feature):
    values = [
        getattr(spectral_features(low_passed(noise(48000, 2.0), 48000, cutoff), 48000), feature)
        for cutoff in (2000.0, 6000.0, 12000.0, 20000.0)
    ]
    assert (np.diff(values) > 0.0).all()


def test_pauses_do_not_count():
    loud, hiss = tone(16000, 500.0, 2.0), 1e-3 * noise(16000, 2.0)
    found = spectral_features(np.concatenate([loud, hiss, np.zeros(16000)]), 16000)
    assert found.centroid_hz == pytest.approx(500.0, rel=0.05)


def test_a_silent_channel_does_not_count():
    voice = speech_like(16000, 3.0)
    assert spectral_features(np.stack([voice, 0.0 * voice]), 16000) == spectral_features(voice, 16000)


def test_the_gain_does_not_matter_to_features():
    voice = speech_like(16000, 3.0) + 0.01 * noise(16000, 3.0)
    one, two = (spectral_features(gain * voice, 16000) for gain in (1.0, 0.05))
    for name in ("centroid_hz", "bandwidth_hz", "flatness", "rolloff_hz"):
        assert getattr(one, name) == pytest.approx(getattr(two, name), rel=1e-3)


def test_long_audio_is_measured_in_pieces():
    import tracemalloc

    audio = 0.1 * noise(8000, 120.0).astype(np.float32)
    tracemalloc.start()
    spectral_features(audio, 8000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # All magnitudes at once would be 7,500 frames of 129 bins, several times over: more than 30 MB.
    assert peak < 6e6


@pytest.mark.parametrize(
    ("audio", "reason"),
    [(np.zeros(16000), "silent"), (np.ones(500), "0.04 s"), (np.append(noise(16000, 1.0), np.nan), "NaN")],
)
def test_spectral_features_name_what_they_cannot_take(audio, reason):
    with pytest.raises(InvalidAudioError, match=reason):
        spectral_features(audio, 16000)


def test_a_rate_out_of_range_is_refused_by_spectral_features():
    with pytest.raises(InvalidParameterError):
        spectral_features(np.ones(16000), 300000)
