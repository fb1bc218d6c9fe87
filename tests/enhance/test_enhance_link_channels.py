"""Channels of one recording get the same gains, so that the image stays; others do not notice each other."""

from __future__ import annotations

import numpy as np
import pytest

import unmuffle

RATE = 16_000


@pytest.fixture
def stereo_and_sum(noisy_speech):
    """Two different channels and their sum: equal gains are linear, so the sum of the outputs is the sum's output."""
    audio = noisy_speech(RATE, channels=2)
    audio[1] += 0.1 * np.random.default_rng(4).standard_normal(audio.shape[1])
    return np.concatenate((audio, audio.sum(axis=0, keepdims=True)))


@pytest.mark.parametrize("method", ["auto", "wiener", "multiband"])
def test_linked_channels_get_one_gain(stereo_and_sum, method):
    left, right, both = unmuffle.enhance(stereo_and_sum, RATE, method=method)
    np.testing.assert_allclose(left + right, both, atol=1e-5)
    left, right, both = unmuffle.enhance(stereo_and_sum, RATE, method=method, link_channels=False)
    assert np.abs(left + right - both).max() > 0.01


def test_a_voice_keeps_its_place(noisy_speech):
    mono = noisy_speech(RATE)
    left, right = unmuffle.enhance(np.concatenate((mono, -0.25 * mono)), RATE)
    np.testing.assert_allclose(right, -0.25 * left, atol=1e-6)


def test_channels_that_are_not_linked_are_on_their_own(noisy_speech):
    audio = noisy_speech(RATE, channels=3)
    apart = unmuffle.enhance(audio, RATE, link_channels=False)
    for channel in range(3):
        np.testing.assert_allclose(apart[channel], unmuffle.enhance(audio[channel], RATE), atol=1e-6)


def test_reset_of_some_channels_is_for_streams_that_are_not_linked(noisy_speech):
    audio = noisy_speech(RATE, channels=2).astype(np.float32)
    linked = unmuffle.open_stream(RATE, 2)
    with pytest.raises(unmuffle.InvalidParameterError, match="link_channels=False"):
        linked.reset([True, False])
    hop = 256
    for block_size in (None, hop):
        stream = unmuffle.open_stream(RATE, 2, block_size, link_channels=False)
        undisturbed = unmuffle.open_stream(RATE, 2, block_size, link_channels=False)
        got, expected = [], []
        for index in range(audio.shape[1] // hop):
            if index == 40:
                stream.reset(np.array([True, False]))
            block = audio[:, index * hop : (index + 1) * hop]
            got.append(stream.process(block))
            expected.append(undisturbed.process(block))
        got, expected = np.concatenate(got, axis=1), np.concatenate(expected, axis=1)
        np.testing.assert_array_equal(got[1], expected[1])
        anew = unmuffle.enhance(audio[0, 40 * hop :], RATE)
        late = stream.latency if block_size else 0
        born = got[0, 40 * hop + late :]
        np.testing.assert_allclose(born, anew[: born.size], atol=1e-6)
        assert np.abs(born - expected[0, 40 * hop + late :]).max() > 1e-4


@pytest.mark.parametrize("mask", [[1, 0], [True], [[True, False]]])
def test_a_mask_is_one_boolean_a_channel(mask):
    with pytest.raises(unmuffle.InvalidParameterError, match="2 booleans"):
        unmuffle.open_stream(RATE, 2, link_channels=False).reset(mask)
