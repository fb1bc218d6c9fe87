"""Resampling by a ratio that follows the output's clock."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from unmuffle.live.clock_match import MOST_OFF, ClockMatch, VariableResampler


def sine(rate: float, seconds: float, hz: float) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate).astype(np.float32)[None]


@pytest.mark.parametrize(("into", "out"), [(16_000, 48_000), (48_000, 16_000), (44_100, 48_000), (48_000, 48_000)])
@pytest.mark.parametrize("off", [0.0, 3e-4, -3e-4])
def test_a_sine_stays_the_sine_that_a_clock_so_far_off_hears(into, out, off):
    resampler = VariableResampler(into, out, 1)
    resampler.off = off
    heard = resampler.process(sine(into, 1.0, 1_000.0))[0]
    # Sample n stands at the input's time n * step.
    expected = np.sin(2 * np.pi * 1_000.0 * np.arange(heard.size) * (into / out * (1 + off)) / into)
    settled = slice(out // 50, None)
    assert np.abs(heard[settled] - expected[settled]).max() < 2e-3
    assert heard.size == pytest.approx((into - resampler.reach) / (into / out * (1 + off)), abs=2)


def test_the_result_does_not_depend_on_how_the_stream_is_cut():
    audio = np.random.default_rng(0).standard_normal((2, 4_000)).astype(np.float32)
    whole = VariableResampler(44_100, 48_000, 2).process(audio)
    pieces = VariableResampler(44_100, 48_000, 2)
    cuts = [0, 1, 2, 40, 41, 700, 2_000, 4_000]
    joined = np.concatenate([pieces.process(audio[:, a:b]) for a, b in pairwise(cuts)], axis=1)
    assert joined.shape == whole.shape
    assert np.abs(joined - whole).max() < 1e-5


def test_what_lies_beyond_the_lower_rate_is_not_folded_back():
    resampler = VariableResampler(48_000, 16_000, 1)
    heard = resampler.process(sine(48_000, 0.5, 11_000.0))[0]
    assert np.abs(heard[200:]).max() < 10 ** (-50 / 20)


def test_the_ratio_leans_against_what_waits_and_never_by_much():
    match = ClockMatch(48_000, 48_000, 1, 480)
    match.steer(480)
    assert match.resampler.off == 0.0
    match.steer(480 + 48)
    assert match.resampler.off == pytest.approx(1e-4)
    match.steer(0)
    assert match.resampler.off == pytest.approx(-1e-3)
    match.steer(48_000)
    assert match.resampler.off == MOST_OFF
