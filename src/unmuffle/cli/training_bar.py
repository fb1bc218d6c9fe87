"""The progress bar of a training: step, loss, speed as a multiple of real time, time left."""

from __future__ import annotations

from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from unmuffle.cli.console import messages


class TrainingBar:
    """Shown on a terminal only; the log goes on above it."""

    def __init__(self, steps: int) -> None:
        self._bar = Progress(
            TextColumn("step"),
            MofNCompleteColumn(),
            BarColumn(),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(),
            console=messages,
            transient=True,
            disable=not messages.is_terminal,
            # The time of a step changes with the rate of its batch: look back over many.
            speed_estimate_period=600.0,
        )
        self._line = self._bar.add_task("train", total=steps, state="")
        self._begun = False

    def __enter__(self) -> TrainingBar:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def watch(self, step: int, loss: float, real_time: float) -> None:
        """Take in that a step is done."""
        if not self._begun:
            # What an earlier part of the run has done is not this one's speed.
            self._bar.reset(self._line, completed=step, state="")
            self._begun = True
        self._bar.update(self._line, completed=step, state=f"loss {loss:.4f}, {real_time:.0f} x real time")
