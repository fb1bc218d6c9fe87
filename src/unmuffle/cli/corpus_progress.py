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


class CorpusProgress:
    """One bar for all clips, with the speed in seconds of audio a second."""

    def __init__(self, *, quiet: bool, as_json: bool) -> None:
        self._as_json = as_json
        self._begun = time.perf_counter()
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
        self._line = self._bar.add_task("planning", total=None, speed="")

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
        total = done + failed + counts.get("todo", 0)
        self._bar.update(
            self._line,
            completed=done + failed,
            total=total,
            description=f"{done + failed} of {total} clips" + (f", {failed} failed" if failed else ""),
            speed=f"{self._seconds / max(self.elapsed_s, 1e-6):.0f} x real time",
        )

    def __enter__(self) -> CorpusProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()


def totals(report: CorpusReport, elapsed_s: float) -> str:
    """Say in a few lines what became of a corpus."""
    lines = [f"{report.done} done, {clock(report.seconds)} of audio, {clock(elapsed_s)} for what was left of it"]
    lines += [f"{count} failed: {cause}" for cause, count in sorted(report.failures.items())]
    if report.failed:
        lines.append(f"what failed, and why, is in {report.destination / 'quarantine.jsonl'}")
    return "\n".join(lines)
