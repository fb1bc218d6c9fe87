"""What a run over a corpus shows: a bar for people, JSON lines for machines."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from types import TracebackType

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from unmuffle.cli.console import messages
from unmuffle.corpus import Clip, ClipOutcome, CorpusReport
from unmuffle.measure.single.wording import clock

NEWS_EVERY_S = 60.0
"""Where nothing moves on the screen, as in a log."""


class CorpusProgress:
    """One bar for all clips with the speed in seconds of audio a second; in a log, a line now and then."""

    def __init__(self, *, quiet: bool, as_json: bool) -> None:
        self._as_json = as_json
        self._quiet = quiet
        self._begun = self._told_at = time.perf_counter()
        self._working_since: float | None = None
        self._seconds = 0.0
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
        self._line = self._bar.add_task("listing the clips", total=None, speed="")

    @property
    def elapsed_s(self) -> float:
        """Time since the run began."""
        return time.perf_counter() - self._begun

    def update(self, clip: Clip, outcome: ClipOutcome, counts: Mapping[str, int]) -> None:
        """Take in that a clip is done."""
        if outcome.record is not None:
            self._seconds += outcome.record["duration_s"]
        if self._as_json:
            told = outcome.record or {"cause": outcome.cause, "message": outcome.message}
            typer.echo(json.dumps({"id": clip.key, "output": clip.output, **told}))
        done, failed = counts.get("done", 0), counts.get("failed", 0)
        ended, total = done + failed, done + failed + counts.get("todo", 0)
        if self._working_since is None:
            self._working_since = time.perf_counter()
            # What an earlier run did tells nothing of the pace of this one.
            self._bar.reset(self._line, total=total, completed=ended)
        working_s = time.perf_counter() - self._working_since
        speed = f"{self._seconds / working_s:.0f} x real time" if working_s > 0.0 else ""
        description = f"{ended:,} of {total:,} clips" + (f", {failed:,} failed" if failed else "")
        self._bar.update(self._line, completed=ended, total=total, description=description, speed=speed)
        self._tell(f"{description}, {speed}")

    def _tell(self, line: str) -> None:
        now = time.perf_counter()
        if not self._quiet and self._bar.disable and now - self._told_at >= NEWS_EVERY_S:
            self._told_at = now
            messages.print(line, markup=False)

    def __enter__(self) -> CorpusProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()


def totals(report: CorpusReport, elapsed_s: float) -> str:
    """Say in a few lines what became of a corpus."""
    lines = [f"{report.done:,} done, {clock(report.seconds)} of audio, {clock(elapsed_s)} for what was left of it"]
    lines += [f"{count:,} failed: {cause}" for cause, count in sorted(report.failures.items())]
    if report.failed:
        lines.append(f"what failed, and why, is in {report.destination / 'quarantine.jsonl'}")
    return "\n".join(lines)
