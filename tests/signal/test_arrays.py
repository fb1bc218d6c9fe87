"""Number formats go around without loss where they can, and wrong arrays are told what is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from unmuffle.errors import InvalidAudioError
from unmuffle.signal import as_channels, from_float32, to_float32
from unmuffle.signal.arrays import find_nonfinite

several = settings(deadline=None, max_examples=100, derandomize=True)


def test_every_int16_goes_around_bit_for_bit():
    every = np.arange(-(2**15), 2**15).astype(np.int16)
    there = to_float32(every)
    assert there.dtype == np.float32
    np.testing.assert_array_equal(there, every / 32768.0)
    back = from_float32(there, np.int16)
    assert back.dtype == np.int16
    np.testing.assert_array_equal(back, every)


@several
@given(hnp.arrays(np.int32, 50, elements=st.integers(-(2**23), 2**23 - 1)))
def test_24_bits_in_int32_go_around_bit_for_bit(values: np.ndarray):
    padded = (values.astype(np.int64) * 256).astype(np.int32)
    np.testing.assert_array_equal(from_float32(to_float32(padded), np.int32), padded)


@several
@given(hnp.arrays(np.int32, 50, elements=st.integers(-(2**31), 2**31 - 1)))
def test_int32_goes_around_to_the_precision_of_float32(values: np.ndarray):
    back = from_float32(to_float32(values), np.int32)
    error = np.abs(back.astype(np.int64) - values.astype(np.int64))
    assert (error <= np.maximum(np.abs(values.astype(np.int64)) / 2**24, 1)).all()


@several
@given(hnp.arrays(np.float32, 50, elements=st.floats(width=32)))
def test_float32_is_left_alone_and_float64_and_back_is_exact(values: np.ndarray):
    assert to_float32(values) is values
    np.testing.assert_array_equal(to_float32(from_float32(values, np.float64)), values)


@pytest.mark.parametrize(("dtype", "scale"), [(np.int16, 2**15), (np.int32, 2**31)])
def test_integers_are_clipped_at_full_scale_and_rounded_to_the_nearest(dtype: type, scale: int):
    beyond = np.array([1.0, 1.5, -1.0, -1.5, 1e30, -1e30], np.float32)
    expected = np.array([scale - 1, scale - 1, -scale, -scale, scale - 1, -scale])
    np.testing.assert_array_equal(from_float32(beyond, dtype), expected)
    steps = np.array([0.4, 0.6, 1.5, 2.5, -0.6, -1.5], np.float32) / np.float32(scale)
    np.testing.assert_array_equal(from_float32(steps, dtype), [0, 1, 2, 2, -1, -2])


def test_float64_beyond_float32_becomes_infinite_without_a_warning():
    assert np.isinf(to_float32(np.array([1e300]))).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.uint16, np.complex64, np.bool_, object, "U3"])
def test_a_type_without_a_full_scale_is_named(dtype: object):
    array = np.zeros((1, 4), dtype)
    with pytest.raises(InvalidAudioError, match=str(array.dtype)):
        as_channels(array)


@pytest.mark.parametrize("shape", [(), (1, 2, 3), (2, 1, 10, 1)])
def test_wrong_dimensions_are_named(shape: tuple[int, ...]):
    with pytest.raises(InvalidAudioError, match=rf"{len(shape)} dimensions"):
        as_channels(np.zeros(shape, np.float32))


def test_no_channel_at_all():
    with pytest.raises(InvalidAudioError, match="no channel"):
        as_channels(np.zeros((0, 100), np.float32))


@several
@given(samples=st.integers(33, 5000), channels=st.integers(1, 8))
def test_transposed_audio_is_recognised(samples: int, channels: int):
    audio = np.zeros((channels, samples), np.float32)
    assert as_channels(audio) is audio
    with pytest.raises(InvalidAudioError, match=r"pass audio\.T"):
        as_channels(audio.T)


@several
@given(samples=st.integers(0, 64), channels=st.integers(1, 32))
def test_few_samples_of_many_channels_are_no_mistake(samples: int, channels: int):
    assert as_channels(np.zeros((channels, samples), np.float32)).shape == (channels, samples)


def test_flat_audio_is_one_channel():
    np.testing.assert_array_equal(as_channels([0.0, 0.5]), np.array([[0.0, 0.5]], np.float32))
    assert as_channels(np.zeros(0)).shape == (1, 0)


@several
@given(hnp.arrays(np.float32, (3, 20), elements=st.sampled_from([0.0, 1.0, np.nan, np.inf, -np.inf])))
def test_nonfinite_samples_are_counted_and_the_first_is_placed(values: np.ndarray):
    bad = [
        (channel, index)
        for index, column in enumerate(values.T.tolist())
        for channel, value in enumerate(column)
        if value != value or abs(value) == float("inf")
    ]
    assert find_nonfinite(values) == ((len(bad), *bad[0]) if bad else None)
