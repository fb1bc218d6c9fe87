"""Enhancing many files, on one or more processes; a file that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from unmuffle.corpus.plan import STREAM, Task
from unmuffle.enhancer import Enhancer, FileReport
from unmuffle.errors import InvalidParameterError, UnmuffleError, one_line
from unmuffle.jobs.workers import Report, run_in_workers
from unmuffle.signal.files import RawFormat

if TYPE_CHECKING:
    from unmuffle.cache import Cache


@dataclass(frozen=True)
class Options:
    """How files are written: replace those that exist, leave those that exist, or headerless PCM.

    With ``diagnose``, each file is diagnosed first and its own chain applied. With ``cache``, what was made once of the
    same file in the same way is copied; see ``Enhancer.enhance_file``.
    """

    overwrite: bool = False
    skip_existing: bool = False
    raw: RawFormat | None = None
    diagnose: bool = False
    cache: Cache | bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a task: a report, an error in one line, or neither if it was skipped.

    The note says what was chosen for a file that was diagnosed first.
    """

    task: Task
    report: FileReport | None = None
    error: str | None = None
    note: str | None = None

    @property
    def skipped(self) -> bool:
        """Whether the result was there already and was left."""
        return self.report is None and self.error is None


Progress: TypeAlias = Callable[[Task, float, "float | None"], None]
"""Called with a task, the seconds of it that are done, and its seconds in all (None if not known)."""


def run_batch(
    tasks: list[Task],
    enhancer: Enhancer,
    *,
    jobs: int = 1,
    options: Options | None = None,
    progress: Progress | None = None,
) -> Iterator[Outcome]:
    """Enhance files and yield what became of each, as it is done.

    Results appear one by one, each whole; so a run that was interrupted is resumed by running it again with
    ``skip_existing``.

    Parameters
    ----------
    tasks : list of Task
        From ``plan_tasks``.
    enhancer : Enhancer
        The settings for all.
    jobs : int, default 1
        How many processes. With more than one, a script has to guard its start by ``if __name__ == "__main__":``.
    options : Options, optional
        What to do with files that exist, and the layout of raw PCM.
    progress : callable, optional
        Told how far each task is.

    Raises
    ------
    InvalidParameterError
        If ``jobs`` is below 1.
    """
    if jobs < 1:
        raise InvalidParameterError(f"jobs is {jobs}; it must be at least 1")
    work = partial(_enhance, enhancer, options or Options())
    if jobs == 1 or len(tasks) == 1:
        for task in tasks:
            yield work(task, partial(_tell, progress, task))
        return
    for index, kind, value in run_in_workers(tasks, work, jobs):
        if kind == "told":
            _tell(progress, tasks[index], value)
        elif kind == "done":
            yield value
        else:
            yield Outcome(tasks[index], error=f"{tasks[index].source}: {value}; out of memory, perhaps")


def _enhance(enhancer: Enhancer, options: Options, task: Task, report: Report) -> Outcome:
    if options.skip_existing and task.destination != STREAM and Path(task.destination).exists():
        return Outcome(task)
    note: str | None = None
    warnings: tuple[str, ...] = ()
    try:
        if options.diagnose:
            # Imported here because measures take time to load, and most batches are not diagnosed.
            from unmuffle.measure.diagnosis import with_own_chain

            own = with_own_chain(enhancer, task.source, options.raw)
            enhancer, note, warnings = own.enhancer, f"{task.source}: {own.note}", own.warnings
        done = enhancer.enhance_file(
            task.source,
            task.destination,
            save_removed=task.removed,
            overwrite=options.overwrite,
            raw=options.raw,
            progress=lambda seconds, total: report((seconds, total)),
            cache=options.cache,
        )
    except UnmuffleError as error:
        return Outcome(task, error=str(error))
    except Exception as error:
        # Whatever it is, it is one file's trouble; the others go on.
        return Outcome(task, error=f"{task.source}: {one_line(error)}")
    told = tuple(dict.fromkeys((*warnings, *done.warnings)))
    return Outcome(task, replace(done, warnings=told), note=note)


def _tell(progress: Progress | None, task: Task, value: tuple[float, float | None]) -> None:
    if progress is not None:
        progress(task, *value)
