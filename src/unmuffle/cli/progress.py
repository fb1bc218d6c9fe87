"""The progress bar of a run over files, and the summary at its end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from unmuffle.cli.console import messages
from unmuffle.corpus import Outcome, Task
from unmuffle.measure.single.wording import clock

MOST_ROWS = 40


class BatchProgress:
    """One bar for all files, by their bytes, with the speed in seconds of audio a second and the time left."""

    def __init__(self, tasks: Sequence[Task], *, quiet: bool) -> None:
        self._sizes = {task.source: max(task.size, 1) for task in tasks}
        self._shares: dict[str, float] = {}
        self._seconds: dict[str, float] = {}
        self._started = time.perf_counter()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            console=messages,
            transient=True,
            disable=quiet or not messages.is_terminal,
        )
        self._line = self._bar.add_task(_described(tasks, 0), total=sum(self._sizes.values()), speed="")
        self._tasks = tasks
        self._done = 0

    @property
    def elapsed_s(self) -> float:
        """Time since the run began."""
        return time.perf_counter() - self._started

    def update(self, task: Task, seconds: float, total: float | None) -> None:
        """Take in how far a task is."""
        self._seconds[task.source] = seconds
        # Where the length is not known the bar waits for the file to be done.
        self._shares[task.source] = min(1.0, seconds / total) if total else 0.0
        self._show()

    def finish(self, outcome: Outcome) -> None:
        """Take in that a task is done."""
        self._done += 1
        self._shares[outcome.task.source] = 1.0
        if outcome.report is not None:
            self._seconds[outcome.task.source] = outcome.report.seconds
        self._show()

    def __enter__(self) -> BatchProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def _show(self) -> None:
        self._bar.update(
            self._line,
            completed=sum(share * self._sizes[source] for source, share in self._shares.items()),
            description=_described(self._tasks, self._done),
            speed=f"{sum(self._seconds.values()) / max(self.elapsed_s, 1e-6):.0f} x real time",
        )


def summarize(outcomes: Sequence[Outcome], elapsed_s: float, *, quiet: bool) -> None:
    """Print what became of every file; errors also when quiet."""
    for outcome in outcomes:
        if outcome.error is not None:
            messages.print(f"unmuffle: {outcome.error}", style="red", markup=False)
    if quiet:
        return
    for outcome in outcomes:
        for warning in outcome.report.warnings if outcome.report is not None else ():
            messages.print(f"warning: {warning}", style="yellow", markup=False)
    for outcome in outcomes:
        if outcome.report is not None and outcome.report.cache_note is not None:
            messages.print(f"{outcome.task.destination}: without the cache: {outcome.report.cache_note}", markup=False)
        if outcome.note is not None:
            messages.print(outcome.note, markup=False)
    if len(outcomes) == 1:
        _summarize_one(outcomes[0])
    else:
        _print_table(outcomes)
        messages.print(_totals(outcomes, elapsed_s))


def _summarize_one(outcome: Outcome) -> None:
    report = outcome.report
    if report is not None:
        made = "from the cache" if report.from_cache else f"enhanced at {report.speed:.0f} x real time"
        message = f"{report.destination}: {clock(report.seconds)} {made}"
        if report.strength_over_time is not None:
            message += f"; {report.strength_over_time.text}"
        messages.print(message, markup=False)
    elif outcome.skipped:
        messages.print(f"{outcome.task.destination} is there already: left as it is", markup=False)


def _print_table(outcomes: Sequence[Outcome]) -> None:
    """Print a line a file; one path each, and no borders, so that what is long stays whole and can be copied."""
    # Failures first, so that they are seen where the table is cut.
    ordered = sorted(outcomes, key=lambda outcome: outcome.error is None)
    messages.print(f"{'length':>9}  {'x real time':>11}  file", style="bold")
    for outcome in ordered[:MOST_ROWS]:
        row, style = _row(outcome)
        messages.print(row, style=style, markup=False)
    if len(ordered) > MOST_ROWS:
        messages.print(f"... and {len(ordered) - MOST_ROWS} more")


def _row(outcome: Outcome) -> tuple[str, str]:
    report = outcome.report
    if report is not None:
        return f"{clock(report.seconds):>9}  {report.speed:>11.0f}  {report.destination}", ""
    if outcome.error is not None:
        return f"{'failed':>9}  {'':11}  {outcome.task.source}", "red"
    return f"{'skipped':>9}  {'':11}  {outcome.task.destination} (was there already)", "dim"


def _totals(outcomes: Sequence[Outcome], elapsed_s: float) -> str:
    reports = [outcome.report for outcome in outcomes if outcome.report is not None]
    failed = sum(outcome.error is not None for outcome in outcomes)
    skipped = sum(outcome.skipped for outcome in outcomes)
    seconds = sum(report.seconds for report in reports)
    parts = [f"{len(reports)} enhanced"]
    parts += [f"{skipped} left as they were"] if skipped else []
    parts += [f"{failed} failed"] if failed else []
    if reports:
        speed = seconds / max(elapsed_s, 1e-6)
        parts[-1] += f": {clock(seconds)} of audio in {clock(elapsed_s)}, {speed:.0f} x real time"
        copied = sum(report.from_cache for report in reports)
        parts += [f"{copied} of them from the cache"] if copied else []
    return ", ".join(parts)


def _described(tasks: Sequence[Task], done: int) -> str:
    return Path(tasks[0].source).name if len(tasks) == 1 else f"{done} of {len(tasks)} files"
