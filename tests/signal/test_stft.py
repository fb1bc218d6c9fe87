"""The STFT stream rebuilds its input, agrees with the textbook, and works in constant memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import ShortTimeFFT

from unmuffle.signal import StftStream, grid_for
from unmuffle.signal.stft import sqrt_hann

RATES_HZ = (8000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000)

several = settings(deadline=None, max_examples=40, derandomize=True)
sizes_of_blocks = st.lists(st.one_of(st.integers(0, 3), st.integers(0, 5000)), max_size=8)


def white(channels: int, samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1.0, 1.0, (channels, samples)).astype(np.float32)


def cut(audio: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
    return np.split(audio, np.minimum(np.cumsum(np.array(sizes, int)), audio.shape[1]), axis=1)


def rebuilt(stream: StftStream, blocks: list[np.ndarray]) -> np.ndarray:
    pieces = [np.zeros((stream.channels, 0), np.float32)]
    for block in blocks:
        for spectra in stream.analyze(block):
            pieces.append(np.empty((stream.channels, len(spectra) * stream.grid.hop), np.float32))
            stream.synthesize(spectra, pieces[-1])
    return np.concatenate(pieces, axis=1)


def spectra_of(stream: StftStream, blocks: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([spectra.copy() for block in blocks for spectra in stream.analyze(block)])


@several
@given(
    rate=st.sampled_from(RATES_HZ),
    channels=st.sampled_from([1, 2, 3, 17]),
    hops=st.integers(1, 40),
    sizes=sizes_of_blocks,
)
def test_perfect_reconstruction(rate: int, channels: int, hops: int, sizes: list[int]):
    grid = grid_for(rate)
    audio = white(channels, hops * grid.hop)
    output = rebuilt(StftStream(grid, channels), cut(audio, sizes))
    assert output.shape == audio.shape
    # The silence before the first sample.
    assert np.abs(output[:, : grid.hop]).max() < 1e-6
    np.testing.assert_allclose(output[:, grid.hop :], audio[:, : -grid.hop], rtol=0, atol=1e-6)


@several
@given(rate=st.sampled_from(RATES_HZ), channels=st.integers(1, 4), hops=st.integers(2, 40), sizes=sizes_of_blocks)
def test_frames_do_not_depend_on_blocks(rate: int, channels: int, hops: int, sizes: list[int]):
    grid = grid_for(rate)
    audio = white(channels, hops * grid.hop + 7)
    np.testing.assert_allclose(
        spectra_of(StftStream(grid, channels), cut(audio, sizes)),
        spectra_of(StftStream(grid, channels), [audio]),
        rtol=0,
        atol=1e-5,
    )


@pytest.mark.parametrize("rate", RATES_HZ)
def test_frames_are_those_of_numpy(rate: int):
    grid = grid_for(rate)
    audio = white(2, 20 * grid.hop + 5)
    padded = np.concatenate((np.zeros((2, grid.hop)), audio.astype(np.float64)), axis=1)
    window = np.sin(np.pi * (np.arange(grid.window) + 0.5) / grid.window)
    expected = [
        np.fft.rfft(window * padded[:, at : at + grid.window])
        for at in range(0, padded.shape[1] - grid.window + 1, grid.hop)
    ]
    found = spectra_of(StftStream(grid, 2), [audio])
    assert found.dtype == np.complex64
    assert found.shape == (20, 2, grid.bins)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * grid.window)


def test_frames_are_those_of_scipy():
    grid = grid_for(16_000)
    audio = white(1, 20 * grid.hop)
    reference = ShortTimeFFT(sqrt_hann(grid.window).astype(np.float64), grid.hop, grid.sample_rate, phase_shift=None)
    # Their frame 0 has its middle on sample 0, as ours has.
    expected = reference.stft(audio[0].astype(np.float64), p0=0, p1=20).T
    found = spectra_of(StftStream(grid, 1), [audio])[:, 0]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("size", [256, 352, 1408, 6144])
def test_squared_windows_add_up_to_one(size: int):
    window = sqrt_hann(size).astype(np.float64)
    np.testing.assert_allclose(window[: size // 2] ** 2 + window[size // 2 :] ** 2, 1.0, atol=3e-7)


@several
@given(waiting=st.integers(0, 1000), samples=st.integers(0, 5000), channels=st.sampled_from([1, 3]))
def test_frames_are_told_beforehand(waiting: int, samples: int, channels: int):
    stream = StftStream(grid_for(16_000), channels)
    list(stream.analyze(white(channels, waiting)))
    assert stream.waiting == waiting % 256
    told = stream.frames_after(samples)
    frames = [len(spectra) for spectra in stream.analyze(white(channels, samples))]
    assert sum(frames) == told
    assert all(1 <= count <= stream.frames_at_once for count in frames)


def test_reset_is_birth():
    grid = grid_for(8000)
    audio = white(2, 1500)
    stream = StftStream(grid, 2)
    rebuilt(stream, [white(2, 777, seed=1)])
    stream.reset()
    np.testing.assert_array_equal(rebuilt(stream, [audio]), rebuilt(StftStream(grid, 2), [audio]))


def test_reset_of_some_channels_keeps_the_clock():
    grid = grid_for(8000)
    past, audio = white(2, 5 * grid.hop, seed=1), white(2, 1500)
    stream, undisturbed = StftStream(grid, 2), StftStream(grid, 2)
    rebuilt(stream, [past])
    rebuilt(undisturbed, [past])
    stream.reset(np.array([True, False]))
    output = rebuilt(stream, [audio])
    np.testing.assert_array_equal(output[0], rebuilt(StftStream(grid, 2), [audio])[0])
    np.testing.assert_array_equal(output[1], rebuilt(undisturbed, [audio])[1])


@pytest.mark.parametrize("channels", [1, 2])
def test_a_long_stream_allocates_nothing_that_stays_and_little_that_goes(channels: int):
    grid = grid_for(48_000)
    stream = StftStream(grid, channels)
    block = white(channels, 480)
    out = np.empty((channels, grid.hop), np.float32)

    def ten_seconds() -> None:
        for _ in range(1000):
            for spectra in stream.analyze(block):
                stream.synthesize(spectra, out)

    ten_seconds()
    tracemalloc.start()
    try:
        ten_seconds()
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        ten_seconds()
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 2048
    # What the FFT and an overlapping move take for a moment: a few frames, however long the stream.
    frame_bytes = channels * grid.window * 4
    assert peak - before < 4 * frame_bytes + 4096
