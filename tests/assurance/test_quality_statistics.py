"""Aggregates agree with numpy and theory; the signed-rank test agrees with all its sign flips counted out."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.assurance.statistics import holm, paired_test, paired_tests, summarize


def by_clip(values):
    return {f"clip {place}": float(value) for place, value in enumerate(values)}


def counted_out(differences):
    """The two-sided p-value over all 2^n signs, and the rank-biserial correlation, in whole numbers."""
    nonzero = [value for value in differences if value]
    sizes = [abs(value) for value in nonzero]
    ranks = [sum(other < size for other in sizes) + Fraction(sizes.count(size) + 1, 2) for size in sizes]
    total = sum(ranks)
    risen = sum(rank for rank, value in zip(ranks, nonzero, strict=True) if value > 0)
    extreme = sum(
        abs(2 * sum(rank for rank, up in zip(ranks, signs, strict=True) if up) - total) >= abs(2 * risen - total)
        for signs in product((False, True), repeat=len(ranks))
    )
    return extreme / 2 ** len(ranks), float((2 * risen - total) / total)


def test_mean_median_and_percentile_are_numpys():
    values = np.random.default_rng(0).normal(3.0, 2.0, 77)
    found = summarize(values)
    assert found.count == 77
    assert found.mean == pytest.approx(values.mean())
    assert found.median == pytest.approx(np.median(values))
    assert found.p5 == pytest.approx(np.quantile(values, 0.05))


def test_interval_of_many_normal_values_is_that_of_theory():
    values = np.random.default_rng(1).normal(0.0, 2.0, 2_000)
    found = summarize(values)
    half = 1.96 * values.std(ddof=1) / np.sqrt(values.size)
    assert found.low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_interval_holds_the_true_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(2)
    found = [summarize(rng.exponential(1.0, 60)) for _ in range(200)]
    assert 0.89 <= np.mean([item.low <= 1.0 <= item.high for item in found]) <= 0.985


def test_interval_moves_and_grows_with_the_values():
    values = np.random.default_rng(3).exponential(1.0, 30)
    one, other = summarize(values), summarize(10.0 + 3.0 * values)
    assert (other.low, other.high) == pytest.approx((10.0 + 3.0 * one.low, 10.0 + 3.0 * one.high))


def test_interval_is_the_same_every_time_and_the_seeds_own():
    values = np.random.default_rng(4).normal(size=20)
    assert summarize(values) == summarize(values)
    assert summarize(values, seed=1).low != summarize(values).low


@pytest.mark.parametrize("values", [[2.5], [0.1] * 7, [0.3, 0.1 + 0.2], [0.0, 0.0]])
def test_interval_of_equal_values_is_their_mean(values):
    found = summarize(values)
    assert found.low == found.high == pytest.approx(values[0])


@pytest.mark.parametrize(("values", "said"), [([], "at least one"), ([1.0, float("nan")], "finite"), ([[1.0]], "list")])
def test_what_has_no_mean_is_refused(values, said):
    with pytest.raises(InvalidParameterError, match=said):
        summarize(values)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("ties", [False, True])
def test_signed_rank_test_equals_all_signs_counted_out(seed, ties):
    rng = np.random.default_rng(seed)
    differences = rng.integers(-4, 6, 10) if ties else rng.permutation(np.arange(1, 11)) * rng.choice((-1, 1, 1), 10)
    found = paired_test(by_clip(np.zeros(10)), by_clip(differences))
    p_value, effect_size = counted_out([int(value) for value in differences])
    assert found.p_value == pytest.approx(p_value, rel=1e-9)
    assert found.effect_size == pytest.approx(effect_size)
    assert found.mean_difference == pytest.approx(differences.mean())


def test_clips_on_which_both_are_equal_count_for_the_mean_only():
    first = by_clip([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    second = by_clip([1.5, 3.0, 4.5, 6.0, 5.0, 6.0])
    without = paired_test({k: v for k, v in first.items() if v < 5.0}, {k: v for k, v in second.items() if k[-1] < "4"})
    found = paired_test(first, second)
    assert (found.p_value, found.effect_size) == (without.p_value, without.effect_size)
    assert (found.clips, found.mean_difference) == (6, pytest.approx(5.0 / 6.0))


def test_equal_differences_are_equal_though_floats_are_not():
    first, second = [0.1, 0.2, 0.7, 0.3, 0.4], [0.2, 0.3, 0.8, 0.2, 0.6]
    _, effect_size = counted_out([1, 1, 1, -1, 2])
    assert paired_test(by_clip(first), by_clip(second)).effect_size == pytest.approx(effect_size)


def test_no_difference_at_all_is_told_as_such():
    values = by_clip([1.0, 2.0])
    found = paired_test(values, values)
    assert (found.p_value, found.effect_size, found.mean_difference) == (1.0, 0.0, 0.0)
    assert paired_test(by_clip([0.0]), by_clip([0.0])).p_value == 1.0


def test_the_other_way_round_only_the_sign_is_turned():
    rng = np.random.default_rng(5)
    one, two = by_clip(rng.normal(size=70)), by_clip(rng.normal(0.3, 1.0, 70))
    there, back = paired_test(one, two), paired_test(two, one)
    assert there.p_value == pytest.approx(back.p_value)
    assert there.effect_size == pytest.approx(-back.effect_size)


def test_chance_is_found_significant_in_about_one_of_twenty():
    rng = np.random.default_rng(6)
    found = [paired_test(by_clip(rng.normal(size=30)), by_clip(rng.normal(size=30))).p_value for _ in range(600)]
    assert 0.02 <= np.mean(np.array(found) < 0.05) <= 0.08


def test_only_clips_in_both_are_compared():
    assert paired_test({"a": 1.0, "b": 2.0}, {"b": 3.0, "c": 9.0}).mean_difference == 1.0
    with pytest.raises(InvalidParameterError, match="no clip in common"):
        paired_test({"a": 1.0}, {"b": 1.0})


def test_holm_as_worked_out_by_hand():
    # Ordered 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1, and never below the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_several_enhancers_are_tested_together():
    rng = np.random.default_rng(7)
    first = by_clip(rng.normal(size=20))
    others = {name: by_clip(rng.normal(shift, 1.0, 20)) for name, shift in (("a", 0.0), ("b", 1.0), ("c", 2.0))}
    found = paired_tests(first, others)
    alone = [paired_test(first, values).p_value for values in others.values()]
    assert [test.p_value for test in found.values()] == pytest.approx(holm(alone))
