"""A progress bar that counts, with the time left."""

from __future__ import annotations

from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from unmuffle.cli.console import messages


class CountingBar:
    """Shown on standard error while it is open, where that is a terminal; ``update`` is what long runs are given."""

    def __init__(self, title: str, *, quiet: bool) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=messages,
            transient=True,
            disable=quiet or not messages.is_terminal,
        )
        self._line = self._bar.add_task(title, total=None)

    def update(self, done: int, total: int | None) -> None:
        """Take in how much is done, of how much if that is known."""
        self._bar.update(self._line, completed=done, total=total)

    def __enter__(self) -> CountingBar:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
