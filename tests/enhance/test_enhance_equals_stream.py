"""A stream gives what the whole array gives, however the blocks are cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import unmuffle

TOLERANCE = 1e-6
few = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
rates = st.sampled_from([8_000, 16_000, 44_100, 48_000])


def cut(audio, sizes):
    at, turn = 0, 0
    while at < audio.shape[-1]:
        size = sizes[turn % len(sizes)]
        yield audio[..., at : at + size]
        at, turn = at + size, turn + 1


def stream_through(stream, blocks):
    pieces = [stream.process(block) for block in blocks]
    return np.concatenate([*pieces, stream.flush()], axis=-1)


@few
@given(
    rate=rates,
    channels=st.integers(1, 3),
    sizes=st.lists(st.integers(0, 5_000), min_size=1, max_size=5).filter(any),
    link=st.booleans(),
)
def test_blocks_of_any_size_give_the_same_unshifted(noisy_speech, rate, channels, sizes, link):
    sizes = [max(size, 50) if max(sizes) < 50 else size for size in sizes]
    audio = noisy_speech(rate, seconds=0.7, channels=channels).astype(np.float32)
    stream = unmuffle.open_stream(rate, channels, link_channels=link)
    expected = unmuffle.enhance(audio, rate, link_channels=link)
    np.testing.assert_allclose(stream_through(stream, cut(audio, sizes)), expected, rtol=0, atol=TOLERANCE)


@few
@given(rate=rates, channels=st.integers(1, 2), size=st.integers(1, 3_000), strength=st.sampled_from([0.0, 0.6, 1.0]))
def test_fixed_blocks_give_the_same_later_by_the_latency(noisy_speech, rate, channels, size, strength):
    size = max(size, 40)
    audio = noisy_speech(rate, seconds=0.7, channels=channels).astype(np.float32)
    audio = audio[:, : audio.shape[1] // size * size]
    stream = unmuffle.open_stream(rate, channels, size, strength=strength)
    outputs = [stream.process(block) for block in cut(audio, [size])]
    assert {output.shape for output in outputs} == {(channels, size)}
    late = np.concatenate([*outputs, stream.flush()], axis=-1)
    assert late.shape[1] == audio.shape[1] + stream.latency
    assert not late[:, : stream.latency].any()
    expected = unmuffle.enhance(audio, rate, strength=strength)
    np.testing.assert_allclose(late[:, stream.latency :], expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("method", ["log_mmse", "multiband", "wiener", "om_lsa_imcra"])
def test_methods_agree_with_their_streams(noisy_speech, method):
    audio = noisy_speech(16_000).astype(np.float32)
    stream = unmuffle.open_stream(16_000, method=method)
    expected = unmuffle.enhance(audio, 16_000, method=method)
    np.testing.assert_allclose(stream_through(stream, cut(audio, [160])), expected, rtol=0, atol=TOLERANCE)


def test_an_array_longer_than_is_done_at_once_has_no_seam(noisy_speech):
    audio = noisy_speech(16_000, seconds=36.0).astype(np.float32)
    assert audio.shape[1] > 2 * (1 << 18)
    stream = unmuffle.open_stream(16_000, method="wiener")
    expected = stream_through(stream, cut(audio, [77_777]))
    np.testing.assert_allclose(unmuffle.enhance(audio, 16_000, method="wiener"), expected, rtol=0, atol=TOLERANCE)


def test_a_flushed_stream_is_as_new(noisy_speech):
    audio = noisy_speech(16_000, seconds=0.6).astype(np.float32)
    for block_size in (None, 160):
        stream = unmuffle.open_stream(16_000, block_size=block_size)
        first = stream_through(stream, cut(audio, [160]))
        np.testing.assert_array_equal(stream_through(stream, cut(audio, [160])), first)
