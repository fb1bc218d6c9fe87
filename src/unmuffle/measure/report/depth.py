"""Measures in depth: how values are spread, who differs from whom, and how it goes with each condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unmuffle.measure.assurance.statistics import Summary
from unmuffle.measure.report.breakdown import Breakdown, breakdowns
from unmuffle.measure.report.charts.boxes import box_plot
from unmuffle.measure.report.charts.dots import dot_plot
from unmuffle.measure.report.charts.lines import line_chart
from unmuffle.measure.report.charts.series import Series, styles
from unmuffle.measure.report.comparison import Comparison, Matrix, matrix, plain
from unmuffle.measure.report.standings import finite_values
from unmuffle.measure.results import Results
from unmuffle.measure.scores import Measure


@dataclass(frozen=True)
class Chart:
    """A drawing and its figures: a heading, SVG, and a table of text."""

    title: str
    svg: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Panel:
    """A measure in depth."""

    measure: Measure
    matrix: Matrix | None
    charts: tuple[Chart, ...]


def panels(results: Results, comparison: Comparison, keys: Sequence[str]) -> list[Panel]:
    """Return measures of a comparison in depth."""
    found = breakdowns(results)
    return [
        Panel(
            measure,
            matrix(results, measure),
            (
                _spread(results, measure, comparison),
                *(chart for one in found if (chart := _by_condition(results, measure, one)) is not None),
            ),
        )
        for measure in comparison.measures
        if measure.key in keys
    ]


def _spread(results: Results, measure: Measure, comparison: Comparison) -> Chart:
    values = {name: finite_values(results, name, measure.key) for name in results.enhancers}
    values = {name: found for name, found in values.items() if found}
    rows = tuple(
        (name, cell.mean, cell.interval, cell.tip)
        for name, cells in comparison.rows
        if (cell := cells[comparison.measures.index(measure)]).value is not None
    )
    svg = box_plot(values, styles(results.enhancers), measure) if values else ""
    note = "Box: middle half of the clips. Line: 5th to 95th percentile. Dots: clips."
    return Chart("Spread over the clips", svg, ("", "Mean", "95 % interval", "More"), rows, note)


def _by_condition(results: Results, measure: Measure, found: Breakdown) -> Chart | None:
    series = found.series(results, measure.key)
    levels = [level for level in found.levels if any(level in one.summaries for one in series)]
    if len(levels) < 2:
        return None
    if found.places is None:
        svg = dot_plot(levels, series, found.title, measure)
    else:
        places = [(level, at) for level, at in zip(found.levels, found.places, strict=True) if level in levels]
        svg = line_chart(places, series, found.title, measure)
    note = "Points: means. Bars: 95 % intervals."
    if found.left_out:
        note += f" {found.left_out} rarer ones are left out."
    rows = tuple((level, *(_figure(one, level, measure) for one in series)) for level in levels)
    return Chart(f"By {found.name}", svg, ("", *(one.name for one in series)), rows, note)


def _figure(one: Series, level: str, measure: Measure) -> str:
    summary: Summary | None = one.summaries.get(level)
    if summary is None:
        return "–"
    return f"{plain(summary.mean, measure)} ({plain(summary.low, measure)} to {plain(summary.high, measure)})"
