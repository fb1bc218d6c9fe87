"""Enhancers side by side as a page shows them: figures as text, and whether a difference is one for the better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from unmuffle.measure.assurance.statistics import PairedTest, holm, paired_test
from unmuffle.measure.catalogue import measure_of
from unmuffle.measure.report.standings import (
    SIGNIFICANT,
    Standing,
    finite_values,
    headline_keys,
    in_catalogue_order,
    standings,
)
from unmuffle.measure.results import Results
from unmuffle.measure.scores import Measure

COST_KEYS = ("real_time_factor", "latency_ms")
_MINUS = "−"


@dataclass(frozen=True)
class Cell:
    """An enhancer in a measure.

    Attributes
    ----------
    value : float or None
        The mean, to sort by.
    mean, interval, gain : str
        As they are shown; empty where there are none.
    tone : str
        ``"better"``, ``"worse"``, ``"unsure"`` or ``"plain"``.
    tip : str
        What is told on pointing at it.
    best : bool
        Whether no other has a better mean.
    """

    value: float | None
    mean: str
    interval: str = ""
    gain: str = ""
    tone: str = "plain"
    tip: str = ""
    best: bool = False


@dataclass(frozen=True)
class Comparison:
    """A table: columns are measures, rows are enhancers with a cell for each measure."""

    measures: tuple[Measure, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


@dataclass(frozen=True)
class Matrix:
    """Every enhancer (row) against every other (column) in a measure; no cell where there is nothing to compare."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]


def main_comparison(results: Results) -> Comparison:
    """Return the measures that say most, and the cost."""
    there = results.keys
    keys = [key for key in headline_keys(results) if key not in COST_KEYS] + [key for key in COST_KEYS if key in there]
    return compare(results, [measure_of(key) for key in keys])


def other_comparison(results: Results, shown: Comparison) -> Comparison | None:
    """Return all other measures, or None where there are none."""
    known = {measure.key for measure in shown.measures}
    rest = [measure_of(key) for key in in_catalogue_order(results.keys) if key not in known]
    return compare(results, rest) if rest else None


def compare(results: Results, measures: Sequence[Measure]) -> Comparison:
    """Return the means of all enhancers, with intervals and gains."""
    found = [standings(results, measure) for measure in measures]
    rows = tuple(
        (name, tuple(_cell(column[place], measure) for column, measure in zip(found, measures, strict=True)))
        for place, name in enumerate(results.enhancers)
    )
    return Comparison(tuple(measures), rows)


def matrix(results: Results, measure: Measure) -> Matrix | None:
    """Return the paired differences between all enhancers, the p-values corrected after Holm for all pairs.

    None where no two enhancers have a clip in common.
    """
    values = {name: finite_values(results, name, measure.key) for name in results.enhancers}
    pairs = [(first, second) for first, second in combinations(values, 2) if values[first].keys() & values[second]]
    if not pairs:
        return None
    tests = [paired_test(values[first], values[second]) for first, second in pairs]
    cells: dict[tuple[str, str], Cell] = {}
    corrected = holm([test.p_value for test in tests])
    for (first, second), test, p_value in zip(pairs, tests, corrected, strict=True):
        cells[second, first] = _difference(second, first, test, 1.0, p_value, measure)
        cells[first, second] = _difference(first, second, test, -1.0, p_value, measure)
    names = tuple(name for name in values if values[name])
    return Matrix(names, tuple((row, tuple(cells.get((row, column)) for column in names)) for row in names))


def sentence(text: str) -> str:
    """Return text that begins with a capital letter."""
    return text[:1].upper() + text[1:]


def signed(value: float, measure: Measure) -> str:
    """Return a difference with its sign, in the digits of the measure."""
    return f"{value:+.{measure.decimals}f}".replace("-", _MINUS)


def plain(value: float | None, measure: Measure) -> str:
    """Return a value with a proper minus sign."""
    return "–" if value is None else measure.format(value).replace("-", _MINUS)


def tone(difference: float, measure: Measure, *, sure: bool) -> str:
    """Return whether a difference is for the better."""
    if measure.more_is_better is None or difference == 0.0:
        return "plain"
    if not sure:
        return "unsure"
    return "better" if (difference > 0.0) == measure.more_is_better else "worse"


def p_text(p_value: float) -> str:
    """Return a p-value as people write it."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def _cell(standing: Standing, measure: Measure) -> Cell:
    summary = standing.summary
    if summary is None:
        return Cell(None, "–")
    low, high = plain(summary.low, measure), plain(summary.high, measure)
    tip = f"median {plain(summary.median, measure)}, 5th percentile {plain(summary.p5, measure)}, {summary.count} clips"
    cell = Cell(summary.mean, plain(summary.mean, measure), f"{low} to {high}", tip=tip, best=standing.best)
    if standing.gain is None:
        return cell
    sure = standing.gain_is_sure
    told = "" if standing.p_value is None else f"; gain over noisy: {p_text(standing.p_value)}"
    return Cell(
        cell.value,
        cell.mean,
        cell.interval,
        signed(standing.gain, measure),
        tone(standing.gain, measure, sure=sure),
        tip + told,
        standing.best,
    )


def _difference(row: str, column: str, test: PairedTest, sign: float, p_value: float, measure: Measure) -> Cell:
    difference = sign * test.mean_difference
    effect = f"{sign * test.effect_size:+.2f}".replace("-", _MINUS)
    return Cell(
        value=difference,
        mean=signed(difference, measure),
        interval=p_text(p_value),
        tone=tone(difference, measure, sure=p_value < SIGNIFICANT),
        tip=f"{row} minus {column} on {test.clips} clips, effect size {effect}",
    )
