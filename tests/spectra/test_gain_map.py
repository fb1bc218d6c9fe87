"""A gain that was applied to a part of time and frequency is what the map shows there."""

from __future__ import annotations

import numpy as np
import pytest

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.spectra import gain_map

RATE = 16_000


def noise(seconds: float = 3.0, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(round(RATE * seconds))


def split(audio: np.ndarray, hz: float) -> tuple[np.ndarray, np.ndarray]:
    """What is below and what is above a frequency."""
    spectrum = np.fft.rfft(audio)
    below = np.fft.irfft(np.where(np.fft.rfftfreq(audio.size, 1.0 / RATE) < hz, spectrum, 0.0), audio.size)
    return below, audio - below


def assert_nearly_all(gains_db: np.ndarray, expected_db: float) -> None:
    """Noise has a few cells of hardly any level, which are what leaks from elsewhere, or the floor."""
    assert gains_db.mean() == pytest.approx(expected_db, abs=0.01)
    assert (np.abs(gains_db - expected_db) < 0.1).mean() > 0.999


@pytest.mark.parametrize("gain_db", [-24.0, -6.0, 9.0])
def test_a_gain_shows_where_it_was_applied_and_nowhere_else(gain_db):
    noisy = noise()
    below, above = split(noisy, 4_000.0)
    time = np.arange(noisy.size) / RATE
    enhanced = below + above * np.where((time >= 1.0) & (time < 2.0), 10.0 ** (gain_db / 20.0), 1.0)
    found = gain_map(noisy, enhanced, RATE)
    high = found.frequencies_hz > 4_500.0
    low = found.frequencies_hz < 3_500.0
    during = (found.times_s > 1.04) & (found.times_s < 1.96)
    outside = (found.times_s < 0.96) | (found.times_s > 2.04)
    gains = found.gains_db[0]
    assert_nearly_all(gains[np.ix_(high, during)], gain_db)
    assert_nearly_all(gains[np.ix_(high, outside)], 0.0)
    # Beside the switching, whose clicks reach everywhere.
    assert_nearly_all(gains[np.ix_(low, during)], 0.0)
    assert found.delay_s == 0.0


def test_there_is_no_gain_where_there_is_nothing():
    noisy = np.concatenate((noise(1.0), np.zeros(RATE)))
    found = gain_map(noisy, 0.1 * noisy, RATE)
    silent, heard = found.times_s > 1.05, found.times_s < 0.95
    assert (found.gains_db[0][:, silent] == 0.0).all()
    assert found.gains_db[0][:, heard].mean() == pytest.approx(-20.0, abs=0.01)


def test_the_floor_limits_what_can_be_told():
    noisy = noise()
    found = gain_map(noisy, np.concatenate((noisy[:RATE], np.zeros(2 * RATE))), RATE, floor_dbfs=-70.0)
    muted = found.gains_db[0][:, found.times_s > 1.1]
    # White noise of -20 dBFS has -42.3 dBFS in a bin: it can fall to -70 and no further.
    level_db = 10.0 * np.log10(0.01 * 1.5 / 256)
    assert 10.0 * np.log10((10.0 ** (-muted / 10.0)).mean()) == pytest.approx(level_db + 70.0, abs=0.3)


@pytest.mark.parametrize("late", [800, -800, 333])
def test_a_delay_is_taken_out_and_told(late):
    noisy = noise()
    enhanced = np.roll(0.5 * noisy, late)
    found = gain_map(noisy, enhanced, RATE)
    assert found.delay_s == pytest.approx(late / RATE, abs=1e-5)
    assert_nearly_all(found.gains_db[0][:, 3:-3], -6.0206)
    assert found.times_s[0] == pytest.approx(max(-late, 0) / RATE)


def test_a_delay_is_taken_out_where_one_channel_is_silent():
    left = noise()
    stereo = np.stack([left, np.zeros_like(left)])
    found = gain_map(stereo, np.roll(0.5 * stereo, 500, axis=1), RATE)
    assert found.delay_s == pytest.approx(500 / RATE, abs=1e-5)
    assert_nearly_all(found.gains_db[0][:, 3:-3], -6.0206)
    assert (found.gains_db[1] == 0.0).all()


def test_channels_and_columns_are_those_of_the_spectrogram():
    stereo = np.stack([noise(), noise(seed=1)])
    enhanced = stereo * np.array([[1.0], [0.1]])
    found = gain_map(stereo, enhanced, RATE, max_columns=20)
    assert found.gains_db.shape[::2] == (2, found.times_s.size)
    assert found.times_s.size <= 20
    np.testing.assert_allclose(found.gains_db.mean(axis=(1, 2)), [0.0, -20.0], atol=0.01)
    averaged = gain_map(stereo, enhanced, RATE, average_channels=True).gains_db
    assert len(averaged) == 1


def test_what_cannot_be_laid_over_each_other_is_refused():
    with pytest.raises(InvalidAudioError, match="noisy has 48,000 samples and enhanced 47,999: cut the longer one"):
        gain_map(noise(), noise()[:-1], RATE)
    with pytest.raises(InvalidAudioError, match=r"noisy has 1 channel\(s\) and enhanced 2"):
        gain_map(noise(), np.stack([noise(), noise()]), RATE)
    with pytest.raises(InvalidAudioError, match="enhanced holds 1 samples that are NaN"):
        gain_map(noise(), np.where(np.arange(3 * RATE) == 5, np.nan, noise()), RATE)
