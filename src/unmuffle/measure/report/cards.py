"""The figures that a reader should see first."""

from __future__ import annotations

from dataclasses import dataclass

from unmuffle.measure.report.comparison import COST_KEYS, Comparison
from unmuffle.measure.results import UNPROCESSED, Results


@dataclass(frozen=True)
class Card:
    """A figure that a reader should see first."""

    title: str
    figure: str
    note: str = ""
    tone: str = "plain"


def cards(results: Results, comparison: Comparison) -> list[Card]:
    """Return the figures that a reader should see first."""
    seconds = {row.clip: row.seconds for row in results}
    processed = [name for name in results.enhancers if name != UNPROCESSED]
    failed = {row.clip for row in results if row.failed}
    found = [
        Card("Clips", f"{len(results.clips):,}", _duration(sum(seconds.values()))),
        Card("Enhancers", str(len(processed)), "" if processed else "only the clips as they came"),
        *_leaders(results, comparison),
        *_fastest(comparison),
    ]
    if failed:
        found.append(Card("Failed clips", f"{len(failed):,}", "reasons are listed below", "worse"))
    return found


def speed(factor: float) -> str:
    """Return how many times as fast as the audio a real-time factor is."""
    times = 1.0 / factor
    return f"{times:,.0f}×" if times >= 10.0 else f"{times:.1f}×"


def _leaders(results: Results, comparison: Comparison) -> list[Card]:
    """Return who is best in the first two measures, and by how much above the clip as it came."""
    found: list[Card] = []
    for place, measure in enumerate(comparison.measures):
        if measure.key in COST_KEYS or len(found) == 2:
            continue
        for name, cells in comparison.rows:
            if cells[place].best and len(results.enhancers) > 1:
                cell = cells[place]
                gain = f", {cell.gain} over noisy" if cell.gain else ""
                found.append(
                    Card(f"Best {measure.name}", name, f"{cell.mean} {measure.unit}".rstrip() + gain, cell.tone)
                )
                break
    return found


def _fastest(comparison: Comparison) -> list[Card]:
    keys = [measure.key for measure in comparison.measures]
    if "real_time_factor" not in keys:
        return []
    place = keys.index("real_time_factor")
    timed = [(value, name) for name, cells in comparison.rows if (value := cells[place].value)]
    if not timed:
        return []
    factor, name = min(timed)
    return [Card("Fastest", name, f"{speed(factor)} real time")]


def _duration(seconds: float) -> str:
    if seconds >= 3600.0:
        return f"{seconds / 3600.0:.1f} hours of audio"
    return f"{seconds / 60.0:.1f} minutes of audio" if seconds >= 60.0 else f"{seconds:.1f} s of audio"
