"""What a history says: aggregates of a version, its worst clips, and what changed from one to the next."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.assurance.history import HistoryEntry
from unmuffle.measure.assurance.statistics import PairedTest, Summary, corrected, paired_test, summarize
from unmuffle.measure.catalogue import measure_of
from unmuffle.measure.scores import Measure

SIGNIFICANT = 0.05

_OF_THE_MACHINE = frozenset({"real_time_factor"})
"""What tells of the machine of the day as much as of the enhancer is not compared over time."""


@dataclass(frozen=True)
class Change:
    """What became of a measure from one set of entries to another, on the clips in both.

    Attributes
    ----------
    measure : Measure
        Which.
    test : PairedTest
        Of the second against the first, its p-value corrected after Holm for the number of measures.
    verdict : {"better", "worse", "unsure"}
        Unsure where the test does not tell the difference from chance: always on fewer than six clips, and with
        twenty measures compared at once on fewer than ten.
    """

    measure: Measure
    test: PairedTest
    verdict: Literal["better", "worse", "unsure"]

    @property
    def text(self) -> str:
        """The change in words."""
        difference = f"{self.test.mean_difference:+.{self.measure.decimals}f}"
        unit = f" {self.measure.unit}" if self.measure.unit else ""
        told = f"{self.measure.name} {difference}{unit} on {self.test.clips} clips (p = {self.test.p_value:.2g})"
        return f"{self.verdict}: {told}"


def latest_entries(entries: Iterable[HistoryEntry]) -> list[HistoryEntry]:
    """Return the last entry of each clip after each enhancer in each version."""
    return list({(item.assessment.clip, item.assessment.enhancer, item.version): item for item in entries}.values())


def versions_in(entries: Iterable[HistoryEntry]) -> list[str]:
    """Return the versions in the order in which they were last measured."""
    last: dict[str, str] = {}
    for item in entries:
        last.pop(item.version, None)
        last[item.version] = item.time
    return list(last)


def aggregate_entries(entries: Sequence[HistoryEntry]) -> dict[str, Summary]:
    """Return mean, median, 5th percentile and the 95 % interval of the mean of each measure of enhanced clips.

    Repeated entries of a clip count once, the last one.
    """
    values: dict[str, list[float]] = {}
    for item in latest_entries(entries):
        for key, value in item.assessment.after.values.items():
            values.setdefault(key, []).append(value)
    return {key: summarize(found) for key, found in values.items()}


def worst_entries(entries: Sequence[HistoryEntry], key: str, count: int = 10) -> list[HistoryEntry]:
    """Return the entries with the worst values of a measure, the worst first; their ``files`` lead to the audio.

    Raises
    ------
    InvalidParameterError
        For a measure of which neither more nor less is better.
    """
    direction = measure_of(key).more_is_better
    if direction is None:
        raise InvalidParameterError(f"no clip is worst in {key}: neither more nor less of it is better")
    known = [item for item in latest_entries(entries) if key in item.assessment.after.values]
    return sorted(known, key=lambda item: item.assessment.after.values[key], reverse=not direction)[:count]


def compare_entries(
    first: Sequence[HistoryEntry], second: Sequence[HistoryEntry], keys: Collection[str] | None = None
) -> list[Change]:
    """Return what changed from the first to the second on the clips in both, by measure.

    Parameters
    ----------
    first, second : sequence of HistoryEntry
        Each of one enhancer in one version, as ``QualityHistory.read`` gives them.
    keys : collection of str, optional
        Only these measures: the fewer, the smaller the changes that can be told from chance.

    Returns
    -------
    list of Change
        Empty where they have no clip in common. Measures of which neither more nor less is better, and the
        real-time factor, are left out.
    """
    before, after = _by_measure(first), _by_measure(second)
    common = [key for key in before if before[key].keys() & after.get(key, {}).keys() and (keys is None or key in keys)]
    tests = corrected({key: paired_test(before[key], after[key]) for key in common})
    return [Change(measure_of(key), test, _verdict(measure_of(key), test)) for key, test in tests.items()]


def _by_measure(entries: Sequence[HistoryEntry]) -> dict[str, dict[str, float]]:
    """Return value by clip by measure, of the measures that can become better or worse."""
    values: dict[str, dict[str, float]] = {}
    for item in latest_entries(entries):
        for key, value in item.assessment.after.values.items():
            if measure_of(key).more_is_better is not None and key not in _OF_THE_MACHINE:
                values.setdefault(key, {})[item.assessment.clip] = value
    return values


def _verdict(measure: Measure, test: PairedTest) -> Literal["better", "worse", "unsure"]:
    if test.p_value >= SIGNIFICANT or test.effect_size == 0.0:
        return "unsure"
    return "better" if (test.effect_size > 0.0) == measure.more_is_better else "worse"
