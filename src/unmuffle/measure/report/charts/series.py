"""What a chart draws: enhancers, each with a style of its own, and their values at levels of a condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unmuffle.measure.assurance.statistics import Summary
from unmuffle.measure.results import UNPROCESSED
from unmuffle.measure.scores import Measure


@dataclass(frozen=True)
class Series:
    """An enhancer's summaries by the name of a level; ``style`` chooses colour and marker, -1 is the untouched clip."""

    name: str
    style: int
    summaries: Mapping[str, Summary]


def styles(enhancers: Sequence[str]) -> dict[str, int]:
    """Return a style for each enhancer, the same in all charts of a page."""
    processed = [name for name in enhancers if name != UNPROCESSED]
    return {name: processed.index(name) if name in processed else -1 for name in enhancers}


def spread(series: Sequence[Series]) -> tuple[float, float]:
    """Return the lowest and the highest end of all intervals."""
    summaries = [summary for one in series for summary in one.summaries.values()]
    return min(found.low for found in summaries), max(found.high for found in summaries)


def tip(name: str, level: str, summary: Summary, measure: Measure) -> str:
    """Return what is told of a point."""
    clips = "1 clip" if summary.count == 1 else f"{summary.count} clips"
    interval = f"{measure.format(summary.low)} to {measure.format(summary.high)}"
    return f"{name}, {level}: {measure.format(summary.mean)} ({interval}; {clips})"
