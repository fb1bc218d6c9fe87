"""The grid is 16 ms and FFT-friendly at every sample rate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmuffle.errors import InvalidParameterError
from unmuffle.signal import grid_for

COMMON_RATES_HZ = (
    8000,
    11_025,
    12_000,
    16_000,
    22_050,
    24_000,
    32_000,
    44_100,
    48_000,
    88_200,
    96_000,
    176_400,
    192_000,
)

# All products of 2, 3, 5, 7 and 11 up to 5,000, by multiplication and not by division.
FRIENDLY = sorted(
    size
    for size in {
        2**a * 3**b * 5**c * 7**d * 11**e
        for a in range(13)
        for b in range(8)
        for c in range(6)
        for d in range(5)
        for e in range(4)
    }
    if size <= 5000
)


@settings(deadline=None, max_examples=300, derandomize=True)
@given(rate=st.one_of(st.sampled_from(COMMON_RATES_HZ), st.integers(8000, 192_000)))
def test_hop_is_the_fft_friendly_size_nearest_to_16_ms(rate: int):
    hop = grid_for(rate).hop
    assert hop in FRIENDLY
    assert abs(hop - 0.016 * rate) == pytest.approx(min(abs(size - 0.016 * rate) for size in FRIENDLY))


@pytest.mark.parametrize("rate", COMMON_RATES_HZ)
def test_hop_is_16_ms_within_3_per_mille_at_common_rates(rate: int):
    grid = grid_for(rate)
    assert grid.hop_s == pytest.approx(0.016, rel=0.003)
    assert grid.bin_hz == pytest.approx(31.25, rel=0.003)


@pytest.mark.parametrize(("rate", "hop"), [(8000, 128), (16_000, 256), (44_100, 704), (48_000, 768), (192_000, 3072)])
def test_known_hops(rate: int, hop: int):
    assert grid_for(rate).hop == hop


@pytest.mark.parametrize("rate", COMMON_RATES_HZ)
def test_bins_are_those_of_the_fft(rate: int):
    grid = grid_for(rate)
    assert grid.window == 2 * grid.hop
    expected = np.fft.rfftfreq(grid.window, 1.0 / rate)
    assert grid.bins == len(expected)
    np.testing.assert_allclose(grid.frequencies_hz, expected, rtol=1e-6)


@pytest.mark.parametrize("rate", [7999, 192_001, 0, -16_000, 16_000.5, True, float("nan"), float("inf")])
def test_a_rate_that_cannot_be_processed_is_named(rate: float):
    with pytest.raises(InvalidParameterError, match="sample_rate"):
        grid_for(rate)


def test_a_whole_rate_of_any_type_will_do():
    assert grid_for(np.int64(16_000)) == grid_for(16_000.0) == grid_for(16_000)
    assert type(grid_for(np.float64(24_000)).sample_rate) is int


def test_smoothing_is_the_pole_of_the_time_constant():
    grid = grid_for(48_000)
    # After as many frames as fit into the time constant, a step has come to 1 - 1/e.
    level = 0.0
    for _ in range(10):
        level += (1.0 - grid.smoothing(0.16)) * (1.0 - level)
    assert level == pytest.approx(1.0 - np.exp(-1.0))


def test_frames_in_a_time_span():
    grid = grid_for(48_000)
    assert [grid.frames(seconds) for seconds in (0.0, 0.001, 0.016, 0.039, 0.041, 1.6)] == [1, 1, 1, 2, 3, 100]
