"""An impact report as a table for the terminal."""

from __future__ import annotations

from rich.table import Table

from unmuffle.measure.impact.bootstrap import Estimate
from unmuffle.measure.impact.report import ConditionImpact, ImpactReport

_STYLES = {"enhance": "green", "enhance with strength": "yellow", "leave alone": ""}


def impact_table(report: ImpactReport) -> Table:
    """Return a row a condition and enhancer: word errors in per cent, likeness of the talker, verdict."""
    alike = any(one.noisy.similarity is not None for one in report.conditions)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("condition", "enhancer"):
        table.add_column(title, overflow="fold")
    titles = ["clips", "clean", "noisy", "enhanced", "gain, points"]
    for title in [*titles, *(["talker noisy", "enhanced"] if alike else [])]:
        table.add_column(title, justify="right", no_wrap=title != "gain, points")
    table.add_column("verdict", overflow="fold")
    for one in report.conditions:
        cells = [one.condition, one.enhancer, str(one.clips), *_rates(one), gain_text(one.verdict.gain)]
        if alike:
            cells += [likeness_text(one.noisy.similarity), likeness_text(one.enhanced.similarity)]
        table.add_row(*cells, one.verdict.text, style=_STYLES[one.verdict.advice])
    return table


def percent_text(rate: Estimate | None) -> str:
    """Return an error rate in per cent, ``-`` for none."""
    return "-" if rate is None else f"{100.0 * rate.value:.1f}"


def gain_text(gain: Estimate | None) -> str:
    """Return a gain and its interval in points, ``-`` for none."""
    if gain is None:
        return "-"
    value, low, high = (100.0 * one + 0.0 for one in (gain.value, gain.low, gain.high))
    return f"{value:+.1f} ({low:+.1f} to {high:+.1f})"


def likeness_text(similarity: Estimate | None) -> str:
    """Return a cosine, ``-`` for none."""
    return "-" if similarity is None else f"{similarity.value:.3f}"


def _rates(one: ConditionImpact) -> list[str]:
    return [percent_text(rate) for rate in (one.clean_wer, one.noisy.wer, one.enhanced.wer)]
