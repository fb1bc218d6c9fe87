"""A live stream: it answers at once, says how late it is, keeps types and never stops for a bad sample."""

from __future__ import annotations

import numpy as np
import pytest

import unmuffle

RATE = 48_000


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000, 192_000])
def test_a_stream_is_32_ms_late(rate):
    stream = unmuffle.open_stream(rate)
    assert stream.latency_ms == pytest.approx(32.0, abs=0.2)
    assert stream.latency_ms == pytest.approx(1e3 * stream.latency / rate)


def test_blocks_that_end_with_frames_are_less_late():
    # A hop is 768 samples at 48 kHz and shares multiples of 96 with blocks of 10 ms.
    assert unmuffle.open_stream(RATE, block_size=480).latency == 1_440
    assert unmuffle.open_stream(RATE, block_size=480).latency_ms == 30.0
    assert unmuffle.open_stream(RATE, block_size=768).latency_ms == 16.0


@pytest.mark.parametrize("block_size", [None, 480])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int16", "int32"])
def test_type_and_dimensions_follow_the_blocks(block_size, dtype):
    mono = unmuffle.open_stream(RATE, block_size=block_size)
    assert (mono.process(np.ones(480, dtype)).dtype, mono.process(np.ones(480, dtype)).ndim) == (np.dtype(dtype), 1)
    assert mono.process(np.ones((1, 480), dtype)).ndim == 2
    rest = mono.flush()
    assert (rest.dtype, rest.ndim) == (np.dtype(dtype), 2)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_replaced_by_silence_and_counted(noisy_speech, bad):
    audio = noisy_speech(RATE, seconds=0.5, channels=2).astype(np.float32)
    broken, mended = audio.copy(), audio.copy()
    broken[0, 5_000:5_007] = bad
    mended[0, 5_000:5_007] = 0.0
    streams = [unmuffle.open_stream(RATE, 2) for _ in range(2)]
    got, expected = (stream.process(samples) for stream, samples in zip(streams, (broken, mended), strict=True))
    np.testing.assert_array_equal(got, expected)
    assert [stream.nonfinite_samples for stream in streams] == [7, 0]
    streams[0].reset()
    assert streams[0].nonfinite_samples == 0


@pytest.mark.parametrize("block_size", [None, 480])
def test_reset_is_birth(noisy_speech, block_size):
    audio = noisy_speech(RATE, seconds=0.5).astype(np.float32)
    stream = unmuffle.open_stream(RATE, block_size=block_size)
    blocks = np.split(audio, audio.shape[1] // 480, axis=1)
    first = [stream.process(block) for block in blocks]
    stream.reset()
    again = [stream.process(block) for block in blocks]
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_stream_without_a_block_size_takes_empty_blocks():
    stream = unmuffle.open_stream(RATE, 2)
    assert stream.process(np.zeros((2, 0), np.float32)).shape == (2, 0)
    assert stream.flush().shape == (2, 0)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (np.zeros((2, 479), np.float32), r"\[2, 480\], not \[2, 479\]"),
        (np.zeros((480, 2), np.float32), r"\[2, 480\], not \[480, 2\]"),
        (np.zeros((3, 480), np.float32), r"\[2, 480\], not \[3, 480\]"),
        (np.zeros(480, np.float32), "2 channels"),
        (np.zeros((2, 480), np.int64), "int64"),
        (np.zeros((2, 480), complex), "complex128"),
    ],
)
def test_a_block_that_does_not_fit_is_refused_and_the_stream_goes_on(noisy_speech, block, message):
    audio = noisy_speech(RATE, seconds=0.2, channels=2).astype(np.float32)
    blocks = np.split(audio, audio.shape[1] // 480, axis=1)
    stream, undisturbed = (unmuffle.open_stream(RATE, 2, 480) for _ in range(2))
    for good in blocks:
        with pytest.raises(unmuffle.InvalidAudioError, match=message):
            stream.process(block)
        np.testing.assert_array_equal(stream.process(good), undisturbed.process(good))
    assert stream.flush().ndim == undisturbed.flush().ndim


def test_a_block_the_wrong_way_round_is_recognised():
    with pytest.raises(unmuffle.InvalidAudioError, match=r"\(samples, channels\).*block\.T"):
        unmuffle.open_stream(RATE, 2).process(np.zeros((480, 2), np.float32))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((RATE, 0), "channels"),
        ((RATE, 1.5), "channels"),
        ((RATE, 1, 0), "block_size"),
        ((RATE, 1, 2.5), "block_size"),
        ((7_000,), "7000 Hz"),
        ((44_100.5,), "whole number"),
    ],
)
def test_a_stream_that_cannot_be_is_refused(arguments, message):
    with pytest.raises(unmuffle.InvalidParameterError, match=message):
        unmuffle.open_stream(*arguments)
