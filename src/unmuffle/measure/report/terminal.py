"""Results as a table in the terminal, narrow enough for 80 columns whatever was measured."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from unmuffle.measure.catalogue import measure_of
from unmuffle.measure.report.standings import (
    Standing,
    failed_rows,
    headline_keys,
    in_catalogue_order,
    refuse_empty,
    standings,
)
from unmuffle.measure.results import Results
from unmuffle.measure.scores import Measure

_MOST_FAILURES = 10
_TITLES, _WIDTHS = ("mean", "95 % interval", "gain", "clips", "failed"), (10, 19, 11, 7, 7)
_NARROWEST_NAME = 12


def print_table(results: Results, console: Console, keys: Sequence[str] | None = None) -> None:
    """Print for each measure what each enhancer reached on average.

    A line holds the mean, its 95 % bootstrap interval, the mean gain over the clip as it came (in brackets where a
    Wilcoxon signed-rank test, corrected after Holm, does not tell it from chance), and the number of clips measured
    and failed. The best mean has a star.

    Parameters
    ----------
    results : Results
        Of a run.
    console : rich.console.Console
        Where to.
    keys : sequence of str, optional
        Which measures; those that say most unless given.

    Raises
    ------
    InvalidParameterError
        If there are no results.
    """
    refuse_empty(results)
    chosen = headline_keys(results) if keys is None else list(keys)
    name_width = max(len(name) for name in results.enhancers) + len("* ")
    name_width = min(name_width, max(console.width - sum(_WIDTHS), _NARROWEST_NAME))
    _print_line(console, "", _TITLES, name_width, "dim")
    for key in chosen:
        measure = measure_of(key)
        console.print(Text(measure.title, style="bold"))
        for standing in standings(results, measure):
            if standing.summary is None and not standing.failed:
                # Nobody tried: the cost of the clip as it came, for one.
                continue
            name, *cells = _cells(standing, measure)
            _print_line(console, name, cells, name_width, "bold green" if standing.best else "")
    _print_rest(results, chosen, console)


def _print_line(console: Console, name: str, cells: Sequence[str], name_width: int, style: str) -> None:
    shown = name if len(name) <= name_width else f"{name[: name_width - 1]}\N{HORIZONTAL ELLIPSIS}"
    row = "".join(f"{cell:>{width}}" for cell, width in zip(cells, _WIDTHS, strict=True))
    console.print(Text(f"{shown:{name_width}}{row}".rstrip(), style=style), soft_wrap=True)


def _cells(standing: Standing, measure: Measure) -> tuple[str, ...]:
    name, failed = f"{'*' if standing.best else ' '} {standing.enhancer}", str(standing.failed or "-")
    summary = standing.summary
    if summary is None:
        return name, "-", "-", "-", "0", failed
    interval = f"{measure.format(summary.low)} .. {measure.format(summary.high)}"
    return name, measure.format(summary.mean), interval, _gain(standing, measure), str(summary.count), failed


def _gain(standing: Standing, measure: Measure) -> str:
    if standing.gain is None:
        return "-"
    gain = f"{standing.gain:+.{measure.decimals}f}"
    return f"{gain} " if standing.gain_is_sure else f"({gain})"


def _print_rest(results: Results, chosen: Sequence[str], console: Console) -> None:
    others = [measure_of(key).name for key in in_catalogue_order(results.keys) if key not in chosen]
    if others:
        console.print(f"\nalso measured: {', '.join(others)}", style="dim", markup=False, highlight=False)
    print_failures(results, console)


def print_failures(results: Results, console: Console) -> None:
    """Print a line for each clip and enhancer of which nothing could be measured, with the reason."""
    failed = failed_rows(results)
    for row in failed[:_MOST_FAILURES]:
        reason = row.failures.get("clip") or "; ".join(row.failures.values()) or "nothing was measured"
        _print_alert(console, f"failed: {row.clip} ({row.enhancer}): {reason}")
    if len(failed) > _MOST_FAILURES:
        _print_alert(console, f"and {len(failed) - _MOST_FAILURES} more that failed")


def _print_alert(console: Console, text: str) -> None:
    console.print(text, style="red", markup=False, highlight=False)
