"""Spectrograms are calibrated, agree with scipy's, and stay of bounded size for long audio."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import scipy.signal

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.measure.spectra import spectrogram
from unmuffle.signal.grid import grid_for
from unmuffle.signal.stft import StftStream

RATE = 16_000


def noise(seconds: float, seed: int = 0, rate: int = RATE) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(round(rate * seconds))).astype(np.float32)


def power(levels_db: np.ndarray) -> np.ndarray:
    return 10.0 ** (levels_db.astype(np.float64) / 10.0)


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_a_full_scale_sine_reads_minus_three(rate):
    grid = grid_for(rate)
    sine = np.sin(2.0 * np.pi * 40 * grid.bin_hz * np.arange(rate) / rate)
    found = spectrogram(sine, rate)
    inside = found.levels_dbfs[0, :, 2:-2]
    assert (inside.argmax(axis=0) == 40).all()
    assert found.frequencies_hz[40] == pytest.approx(40 * grid.bin_hz)
    np.testing.assert_allclose(inside[40], 10.0 * np.log10(0.5), atol=0.001)


def test_a_sine_between_two_bins_reads_at_most_one_and_a_half_decibels_less():
    sine = np.sin(2.0 * np.pi * 1015.625 * np.arange(RATE) / RATE)
    highest = spectrogram(sine, RATE).levels_dbfs[0, :, 2:-2].max(axis=0)
    np.testing.assert_allclose(highest, 10.0 * np.log10(0.5) - 1.42, atol=0.01)


def test_it_is_scipys_on_the_grid_of_the_package():
    audio, grid = noise(2.0), grid_for(RATE)
    padded = np.pad(audio, (grid.hop, 2 * grid.hop))
    _, _, expected = scipy.signal.spectrogram(
        padded, RATE, "hann", grid.window, grid.hop, detrend=False, scaling="spectrum"
    )
    found = spectrogram(audio, RATE)
    frames = found.times_s.size
    np.testing.assert_allclose(found.levels_dbfs[0], 10.0 * np.log10(expected[:, :frames]), atol=0.01)
    np.testing.assert_allclose(found.times_s, np.arange(frames) * grid.hop_s)


def test_frames_lie_where_those_of_the_stft_lie():
    click = np.zeros(RATE, np.float32)
    click[5_003] = 1.0
    stream = StftStream(grid_for(RATE), 1)
    energy = np.concatenate([np.abs(spectra[:, 0]).sum(axis=1) for spectra in stream.analyze(click[None].copy())])
    own = power(spectrogram(click, RATE).levels_dbfs[0]).sum(axis=0)
    assert np.flatnonzero(own > 1e-12).tolist() == np.flatnonzero(energy > 1e-6).tolist()


@pytest.mark.parametrize("columns", [7, 50, 100])
def test_columns_hold_the_mean_power_of_their_frames(columns):
    audio = noise(3.0) * np.linspace(0.0, 1.0, 3 * RATE, dtype=np.float32)
    every = power(spectrogram(audio, RATE).levels_dbfs[0])
    found = spectrogram(audio, RATE, max_columns=columns)
    assert found.levels_dbfs.shape[2] <= columns
    each = round(found.column_s / grid_for(RATE).hop_s)
    for column, time_s in enumerate(found.times_s):
        frames = every[:, column * each : (column + 1) * each]
        np.testing.assert_allclose(power(found.levels_dbfs[0, :, column]), frames.mean(axis=1), rtol=1e-4)
        middle = (column * each + 0.5 * (frames.shape[1] - 1)) * grid_for(RATE).hop_s
        assert time_s == pytest.approx(middle)


def test_a_tone_keeps_its_level_where_bins_are_put_together():
    sine = np.sin(2.0 * np.pi * 1000.0 * np.arange(RATE) / RATE)
    found = spectrogram(sine, RATE, max_bins=50)
    assert found.levels_dbfs.shape[1] <= 50
    row = found.levels_dbfs[0, :, 20].argmax()
    assert abs(found.frequencies_hz[row] - 1000.0) <= 0.5 * np.diff(found.frequencies_hz)[0] + 1.0
    assert found.levels_dbfs[0, row, 20] == pytest.approx(10.0 * np.log10(0.5), abs=0.01)


def test_channels_are_separate_or_averaged_by_power():
    left, right = noise(1.0), 0.1 * noise(1.0, 1)
    apart = spectrogram(np.stack([left, right]), RATE).levels_dbfs
    for row, one in zip(apart, (left, right), strict=True):
        np.testing.assert_array_equal(row, spectrogram(one, RATE).levels_dbfs[0])
    together = spectrogram(np.stack([left, right]), RATE, average_channels=True).levels_dbfs
    np.testing.assert_allclose(power(together[0]), power(apart).mean(axis=0), rtol=1e-4)


def test_silence_and_the_shortest_audio():
    assert (spectrogram(np.zeros(RATE), RATE).levels_dbfs == -200.0).all()
    assert np.isfinite(spectrogram(np.ones(1), RATE).levels_dbfs).all()


def test_memory_does_not_grow_with_length():
    def peak(seconds: float) -> int:
        audio = noise(seconds)
        tracemalloc.start()
        found = spectrogram(audio, RATE, max_columns=200)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found.levels_dbfs.shape[2] <= 200
        return top

    assert peak(300.0) < 1.2 * peak(20.0)


def test_what_cannot_be_shown_is_refused():
    with pytest.raises(InvalidAudioError, match="no samples"):
        spectrogram(np.zeros(0), RATE)
    with pytest.raises(
        InvalidAudioError, match="1 samples that are NaN or infinite, the first in channel 0 at sample 3"
    ):
        spectrogram(np.array([0.0, 0.0, 0.0, np.inf]), RATE)
    with pytest.raises(InvalidParameterError, match="max_columns must be a whole number of at least 1, not 0"):
        spectrogram(np.zeros(RATE), RATE, max_columns=0)
    with pytest.raises(InvalidParameterError, match="max_bins"):
        spectrogram(np.zeros(RATE), RATE, max_bins=0)
