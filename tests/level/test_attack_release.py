"""Attack and release against the recursions of the paper, sample by sample."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmuffle.level.envelope import AttackRelease, DecayingPeak
from unmuffle.level.windows import SlidingMaximum, SlidingMean


def loop(values, rate, attack_s, release_s):
    """Giannoulis, Massberg and Reiss (2012), equation 15, as it is printed."""
    attack = np.exp(-1.0 / (attack_s * rate)) if attack_s else 0.0
    release = np.exp(-1.0 / (release_s * rate)) if release_s else 0.0
    peak = smooth = 0.0
    out = []
    for value in values:
        peak = max(value, release * peak)
        smooth = attack * smooth + (1.0 - attack) * peak
        out.append(smooth)
    return np.array(out)


def bursts(seed, samples):
    rng = np.random.default_rng(seed)
    return np.where(rng.random(samples) < 0.02, rng.uniform(0.0, 30.0, samples), rng.uniform(0.0, 1.0, samples))


@pytest.mark.parametrize("attack_s", [0.0, 0.001, 0.05])
@pytest.mark.parametrize("release_s", [0.0, 0.001, 0.1, 3.0])
def test_it_is_the_recursion_of_the_paper(attack_s, release_s):
    values = bursts(0, 40_000)
    got = AttackRelease(16_000, 1, attack_s, release_s).follow(values[None])[0]
    np.testing.assert_allclose(got, loop(values, 16_000, attack_s, release_s), rtol=1e-9, atol=1e-8)


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(0, 4000), min_size=1, max_size=8).filter(any), seed=st.integers(0, 99))
def test_blocks_do_not_matter(sizes, seed):
    values = np.stack([bursts(seed, sum(sizes)), bursts(seed + 1, sum(sizes))])
    for make in (
        lambda: AttackRelease(8000, 2, 0.004, 0.06),
        lambda: DecayingPeak(8000, 2, 0.02),
        lambda: SlidingMaximum(2, 37),
        lambda: SlidingMean(2, 36),
    ):
        part = make()
        pieces = [part.follow(piece) for piece in np.split(values, np.cumsum(sizes)[:-1], axis=1)]
        np.testing.assert_allclose(np.concatenate(pieces, axis=1), make().follow(values), atol=1e-8)


@pytest.mark.parametrize("size", [1, 2, 7, 8])
def test_windows_are_what_they_are_called(size):
    values = bursts(3, 200)
    padded = np.concatenate([np.zeros(size - 1), values])
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)
    np.testing.assert_array_equal(SlidingMaximum(1, size).follow(values[None])[0], windows.max(axis=1))
    np.testing.assert_allclose(SlidingMean(1, size).follow(values[None])[0], windows.mean(axis=1), atol=1e-10)


@pytest.mark.parametrize("make", [lambda: AttackRelease(8000, 2, 0.004, 0.06), lambda: SlidingMaximum(2, 37)])
def test_one_row_can_be_forgotten(make):
    part, values = make(), np.stack([bursts(5, 500), bursts(6, 500)])
    part.follow(values)
    part.reset(np.array([True, False]))
    after = part.follow(np.zeros((2, 3)))
    assert not after[0].any()
    assert after[1].all()


def test_a_minute_of_silence_leaves_it_at_rest():
    follower = AttackRelease(8000, 1, 0.005, 0.1)
    follower.follow(np.full((1, 100), 40.0))
    assert not follower.at_rest
    follower.follow(np.zeros((1, 480_000)))
    assert follower.at_rest
