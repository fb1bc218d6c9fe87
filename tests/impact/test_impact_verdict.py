"""Verdicts: what helps is advised, what may be chance is not, and the choice of a strength is not judged on itself."""

from __future__ import annotations

import numpy as np
import pytest

from unmuffle.measure.impact.bootstrap import ClipBootstrap
from unmuffle.measure.impact.verdict import LEAST_CLIPS, decide

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)


def judged(errors: np.ndarray, words: int = 10, seed: int = 0):
    clips = len(errors)
    return decide(np.full(clips, words), errors, STRENGTHS, ClipBootstrap(clips, 0.95, seed), seed)


def drawn(rates: list[float], clips: int = 60, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).binomial(10, rates, (clips, len(rates)))


@pytest.mark.parametrize("seed", range(5))
def test_a_large_gain_at_full_strength_is_advised(seed):
    verdict = judged(drawn([0.6, 0.5, 0.4, 0.3, 0.15], seed=seed))
    assert (verdict.advice, verdict.strength) == ("enhance", 1.0)
    assert verdict.gain.low > 0.3


@pytest.mark.parametrize("seed", range(5))
def test_the_strength_in_between_is_found(seed):
    verdict = judged(drawn([0.6, 0.4, 0.2, 0.5, 0.7], seed=seed))
    assert (verdict.text, verdict.strength, verdict.chosen) == ("enhance with strength 0.5", 0.5, (0.5, 0.5))


@pytest.mark.parametrize("seed", range(5))
def test_harm_is_left_alone_and_named(seed):
    verdict = judged(drawn([0.2, 0.3, 0.4, 0.5, 0.7], seed=seed))
    assert (verdict.advice, verdict.strength) == ("leave alone", 0.0)
    assert "points worse" in verdict.reason


def test_a_tie_is_left_alone():
    verdict = judged(np.full((40, 5), 3))
    assert (verdict.advice, verdict.gain.value, verdict.gain.high) == ("leave alone", 0.0, 0.0)


def test_chance_is_rarely_taken_for_a_gain():
    """Nothing helps; the best of four strengths on all clips would seem to, far more often than one time in forty."""
    tables = [drawn([0.4] * 5, clips=40, seed=seed) for seed in range(100)]
    advised = sum(judged(errors).advice != "leave alone" for errors in tables)
    naive = 0
    for errors in tables:
        best = int(errors.sum(axis=0)[1:].argmin()) + 1
        naive += ClipBootstrap(40, 0.95, 0).ratio(errors[:, 0] - errors[:, best], np.full(40, 10)).low > 0.0
    assert advised <= 7
    assert naive > 2 * advised


def test_few_clips_tell_nothing():
    verdict = judged(np.tile([9, 0, 0, 0, 0], (LEAST_CLIPS - 1, 1)))
    assert verdict.advice == "leave alone"
    assert verdict.gain is None
    assert "too few" in verdict.reason


def test_each_half_is_judged_by_the_choice_of_the_other():
    """One clip loves a strength so much that its half chooses it; the other half has no use for it."""
    errors = np.full((20, 5), 2)
    errors[:, 4] = 3
    errors[3, 2] = 0
    verdict = judged(errors)
    # The half with the clip chooses 0.5 and saves nothing on the other; the other chooses 0.
    assert set(verdict.chosen) == {0.0, 0.5}
    assert verdict.gain.value == 0.0
    assert verdict.advice == "leave alone"
