"""A resampled stream is what soxr makes of the whole, in step with its input."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.signal import Resampler, resample

PAIRS = [(48_000, 16_000), (16_000, 48_000), (44_100, 16_000), (8000, 48_000), (22_050, 44_100), (48_000, 44_100)]
every_pair = pytest.mark.parametrize(("input_rate", "output_rate"), PAIRS)


def white(channels: int, samples: int) -> np.ndarray:
    return (0.3 * np.random.default_rng(0).standard_normal((channels, samples))).astype(np.float32)


def stream(resampler: Resampler, audio: np.ndarray, sizes: list[int]) -> np.ndarray:
    pieces = [resampler.process(block) for block in np.split(audio, np.cumsum(np.array(sizes, int)), axis=1)]
    assert all(piece.dtype == np.float32 for piece in pieces)
    return np.concatenate([*pieces, resampler.flush()], axis=1)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    rates=st.sampled_from(PAIRS),
    channels=st.integers(1, 3),
    sizes=st.lists(st.one_of(st.integers(0, 3), st.integers(0, 6000)), max_size=8),
    quality=st.sampled_from(["LQ", "HQ", "VHQ"]),
)
def test_stream_equals_one_shot(rates: tuple[int, int], channels: int, sizes: list[int], quality: str):
    audio = white(channels, 12_000)
    expected = soxr.resample(audio.T, *rates, quality=quality).T
    found = stream(Resampler(*rates, channels, quality), audio, sizes)
    common = min(found.shape[1], expected.shape[1])
    assert abs(found.shape[1] - expected.shape[1]) <= 1
    np.testing.assert_allclose(found[:, :common], expected[:, :common], rtol=0, atol=1e-6)


@every_pair
@settings(deadline=None, max_examples=15, derandomize=True)
@given(samples=st.integers(0, 20_000))
def test_length_is_the_ratio(input_rate: int, output_rate: int, samples: int):
    resampled = resample(white(2, max(samples, 2))[:, :samples], input_rate, output_rate)
    assert resampled.shape == (2, round(samples * output_rate / input_rate))


@every_pair
def test_a_sine_comes_out_as_the_same_sine(input_rate: int, output_rate: int):
    """In step, of the same size, and without a click at any border."""

    def sine(rate: int) -> np.ndarray:
        return 0.5 * np.sin(2 * np.pi * 997.0 * np.arange(rate // 2) / rate + 0.3)[None]

    found = stream(Resampler(input_rate, output_rate), sine(input_rate).astype(np.float32), [37, 480, 1, 0, 2000] * 4)
    inside = slice(output_rate // 20, -output_rate // 20)
    common = min(found.shape[1], output_rate // 2)
    difference = found[:, :common] - sine(output_rate)[:, :common]
    assert np.abs(difference[:, inside]).max() < 1e-4


@every_pair
def test_an_impulse_stays_where_it_is(input_rate: int, output_rate: int):
    audio = np.zeros((1, input_rate // 5), np.float32)
    audio[0, input_rate // 10] = 1.0
    assert np.abs(resample(audio, input_rate, output_rate)).argmax() == pytest.approx(output_rate / 10, abs=1)


def test_flush_and_reset_are_birth():
    audio = white(1, 5000)
    resampler = Resampler(48_000, 16_000)
    first = stream(resampler, audio, [100])
    np.testing.assert_array_equal(stream(resampler, audio, [100]), first)
    resampler.process(audio[:, :77])
    resampler.reset()
    np.testing.assert_array_equal(stream(resampler, audio, [100]), first)


def test_equal_rates_change_nothing():
    audio = white(2, 100)
    np.testing.assert_array_equal(resample(audio, 16_000, 16_000), audio)


def test_one_channel_may_be_flat_and_integer():
    flat = (white(1, 4800)[0] * 2**15).clip(-(2**15), 2**15 - 1).astype(np.int16)
    found = resample(flat, 48_000, 16_000)
    np.testing.assert_allclose(found[0], soxr.resample(flat / np.float32(2**15), 48_000, 16_000), atol=1e-6)


@pytest.mark.parametrize(("input_rate", "output_rate"), [(0, 16_000), (16_000, 0), (-1, 16_000), (16_000, -8000)])
def test_a_rate_must_be_positive(input_rate: int, output_rate: int):
    with pytest.raises(InvalidParameterError, match="above 0 Hz"):
        Resampler(input_rate, output_rate)
    with pytest.raises(InvalidParameterError, match="above 0 Hz"):
        resample(white(1, 100), input_rate, output_rate)


def test_a_rate_must_be_positive_even_if_there_is_nothing_to_do():
    with pytest.raises(InvalidParameterError, match="above 0 Hz"):
        resample(white(1, 100), -5, -5)


def test_an_unknown_quality_is_named():
    with pytest.raises(InvalidParameterError, match="'best'"):
        Resampler(48_000, 16_000, quality="best")


def test_a_block_with_other_channels_is_refused():
    with pytest.raises(InvalidAudioError, match=r"\[2, samples\]"):
        Resampler(48_000, 16_000, channels=2).process(white(3, 100))
