"""A loudness meter does not care how a stream is cut, and has an answer for every input."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.level import LoudnessMeter, integrated_loudness


@settings(max_examples=40, deadline=None)
@given(
    rate=st.sampled_from([8000, 11025, 22050, 44101, 48000]),
    sizes=st.lists(st.integers(0, 9000), min_size=1, max_size=8).filter(lambda sizes: sum(sizes) > 500),
    channels=st.integers(1, 6),
)
def test_block_invariance(rate, sizes, channels):
    audio = np.random.default_rng(3).standard_normal((channels, 2 * rate)).astype(np.float32) * 0.1
    meter = LoudnessMeter(rate, channels)
    at, turn = 0, 0
    while at < audio.shape[1]:
        size = sizes[turn % len(sizes)] + (turn % 7 == 6)
        meter.process(audio[:, at : at + size])
        at, turn = at + size, turn + 1
    assert meter.integrated_lufs == pytest.approx(integrated_loudness(audio, rate), abs=1e-9)
    assert meter.seconds == pytest.approx(2.0)


@pytest.mark.parametrize("samples", [1, 4800, 19199])
def test_less_than_a_gating_block_is_minus_infinity(samples):
    assert integrated_loudness(np.ones(samples, np.float32), 48000) == -inf


def test_an_empty_stream_is_minus_infinity():
    meter = LoudnessMeter(48000, 2)
    meter.process(np.zeros((2, 0), np.float32))
    assert meter.integrated_lufs == meter.sample_peak_dbfs == -inf


def test_one_gating_block_is_enough():
    assert integrated_loudness(np.random.default_rng(0).standard_normal(19200), 48000) > -10.0


def test_silence_is_minus_infinity():
    meter = LoudnessMeter(16000)
    meter.process(np.zeros((1, 160000), np.float32))
    assert meter.integrated_lufs == -inf
    assert meter.sample_peak_dbfs == -inf


def test_below_the_absolute_gate_is_minus_infinity():
    noise = np.random.default_rng(0).standard_normal(48000) * 10.0 ** (-80.0 / 20.0)
    assert integrated_loudness(noise, 48000) == -inf


def test_memory_is_one_number_for_every_100_ms():
    meter = LoudnessMeter(8000)
    for _ in range(100):
        meter.process(np.zeros((1, 8000), np.float32))
    assert len(meter._hops) == 1000


def test_transposed_audio_is_named():
    with pytest.raises(InvalidAudioError, match="48000, 2"):
        integrated_loudness(np.zeros((48000, 2)), 48000)


@pytest.mark.parametrize(
    "block", [np.zeros(10, np.float32), np.zeros((3, 10), np.float32), np.zeros((2, 10), np.int16)]
)
def test_wrong_blocks_are_refused(block):
    with pytest.raises(InvalidAudioError):
        LoudnessMeter(48000, 2).process(block)


def test_nonfinite_samples_are_refused():
    with pytest.raises(InvalidAudioError, match="1 NaN"):
        integrated_loudness(np.array([0.0, np.nan]), 48000)


@pytest.mark.parametrize("arguments", [(7999, 1), (200000, 1), (48000, 0), (48000, 2, [1.0]), (48000, 1, [-1.0])])
def test_wrong_parameters_are_refused(arguments):
    with pytest.raises(InvalidParameterError):
        LoudnessMeter(*arguments)
