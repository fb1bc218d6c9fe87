"""Word errors: counts worked out by hand, and by an edit distance of our own; rates are rates of sums."""

from __future__ import annotations

import numpy as np
import pytest

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.impact.bootstrap import ClipBootstrap
from unmuffle.measure.impact.word_errors import WordErrors, count_word_errors

pytest.importorskip("jiwer", reason="the extra impact is not installed")


@pytest.mark.parametrize(
    ("said", "understood", "counts"),
    [
        ("a b c", "a b c", (0, 0, 0, 3)),
        ("a b c", "a x c", (1, 0, 0, 3)),
        ("a b c", "a c", (0, 1, 0, 3)),
        ("a b c", "a b b c", (0, 0, 1, 3)),
        ("a b c", "", (0, 3, 0, 3)),
        ("a", "x y z", (1, 0, 2, 1)),
    ],
)
def test_counts_by_hand(said, understood, counts):
    found = count_word_errors(said, understood)
    assert (found.substitutions, found.deletions, found.insertions, found.words) == counts


def edit_distance(one: list[str], two: list[str]) -> int:
    row = list(range(len(two) + 1))
    for i, word in enumerate(one, start=1):
        before, row[0] = row[0], i
        for j, other in enumerate(two, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


def test_counts_against_an_edit_distance():
    rng = np.random.default_rng(0)
    for _ in range(50):
        said = list(rng.choice(list("abcd"), rng.integers(1, 12)))
        understood = list(rng.choice(list("abcd"), rng.integers(0, 12)))
        found = count_word_errors(" ".join(said), " ".join(understood))
        assert found.total == edit_distance(said, understood)
        assert found.words - found.deletions + found.insertions == len(understood)


def test_the_rate_of_many_is_that_of_their_sums():
    together = WordErrors(1, 0, 0, 1) + WordErrors(0, 0, 0, 99)
    assert together.rate == pytest.approx(0.01)


def test_nothing_said_is_refused():
    with pytest.raises(InvalidParameterError, match="without words"):
        count_word_errors(" ", "a")


def test_the_bootstrap_interval_is_as_wide_as_theory_has_it():
    errors = np.random.default_rng(1).binomial(1, 0.3, 400)
    found = ClipBootstrap(400, 0.95, 0).ratio(errors, np.ones(400))
    deviation = np.sqrt(errors.mean() * (1 - errors.mean()) / 400)
    assert found.value == pytest.approx(errors.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * deviation, rel=0.1)
