"""Enhancers side by side on the same clips."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import closing
from pathlib import Path

from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.jobs.one_thread import one_thread_each
from unmuffle.jobs.workers import run_in_workers
from unmuffle.measure.evaluation.about import describe_run
from unmuffle.measure.evaluation.clip_work import ClipTask, measure_clip
from unmuffle.measure.evaluation.clips import Clip
from unmuffle.measure.evaluation.enhancers.contract import ClipEnhancer
from unmuffle.measure.evaluation.enhancers.registry import find_enhancers
from unmuffle.measure.evaluation.journal import Journal, mark_of, mark_of_measures, row_key
from unmuffle.measure.evaluation.pairs import check_names, find_pairs
from unmuffle.measure.evaluation.selection import TRANSPARENCY_KEYS, chosen_measures
from unmuffle.measure.results import UNPROCESSED, ClipResult, Results
from unmuffle.measure.scores import Measure

TRANSPARENCY_CLIPS = 8

Progress = Callable[[int, int], None]
"""Called with the rows that are done and those in all."""


def evaluate(
    clips: str | os.PathLike[str] | Collection[Clip],
    enhancers: Sequence[str | ClipEnhancer],
    *,
    measures: Sequence[str] | None = None,
    jobs: int = 0,
    progress: Progress | None = None,
    save_to: str | os.PathLike[str] | None = None,
    journal: str | os.PathLike[str] | None = None,
    transparency_clips: int = TRANSPARENCY_CLIPS,
    source: str | None = None,
) -> Results:
    """Measure clips as they came and after each enhancer.

    A clip that cannot be measured, or on which an enhancer fails, becomes a row that tells why; the run goes on. What
    an enhancer returns is brought in step first; a delay of more than 1 ms is taken out and told as ``delay_ms``.

    Parameters
    ----------
    clips : path, or collection of Clip
        What ``find_pairs`` understands, its result, or a ``MixPlan``.
    enhancers : sequence of str or ClipEnhancer
        Names as ``find_enhancer`` takes them, or enhancers of your own. None, and the clips alone are measured.
    measures : sequence of str, optional
        Keys; ``DEFAULT_MEASURES`` unless given.
    jobs : int, default 0
        How many processes, a thread each; a script then has to guard its start by ``if __name__ == "__main__":``. With
        0, all is done in this process, where the threads of numerical libraries count into the real-time factor.
    progress : callable, optional
        Told the rows done and the rows in all.
    save_to : path, optional
        Folder where enhanced audio is kept (FLAC, 16 bit), and clips that were mixed for this run.
    journal : path, optional
        File where rows are kept as they come. A run that was interrupted goes on where it stopped when it is started
        again with the same file; what changed since, clips, versions or measures, is measured anew.
    transparency_clips : int, default 8
        On so many clean references, evenly spread, each enhancer is tried too, if a measure of transparency is asked
        for.
    source : str, optional
        What the results call the data; the path, where ``clips`` is one.

    Returns
    -------
    Results
        A row for each clip as it came (``UNPROCESSED``) and after each enhancer, in the order of the clips.

    Raises
    ------
    AudioFileError
        If there is no clip, or the journal cannot be used.
    InvalidParameterError
        If an enhancer or a measure is not known, a name comes twice, or no clip has a reference where one is needed.
    MissingExtraError
        If the package of an enhancer, or of a measure that was asked for, is not installed.
    """
    if jobs < 0:
        raise InvalidParameterError(f"jobs is {jobs}; it must be at least 0")
    found: list[Clip] = []
    if isinstance(clips, (str, os.PathLike)):
        source = source or str(clips)
        found += find_pairs(clips)
    else:
        found += clips
    source = source or "clips of the caller"
    if not found:
        raise AudioFileError("there is no clip to evaluate")
    check_names((clip.name for clip in found), source)
    chosen = find_enhancers(enhancers)
    taken = chosen_measures(measures, found)
    folder = None if save_to is None else Path(save_to)
    with Journal(journal) as kept:
        run = _Run(found, chosen, taken)
        tasks = run.plan(kept, folder, _spread(found, transparency_clips))
        rows = run.work(tasks, jobs, kept, progress)
    return Results(rows, describe_run(source, len(found), chosen, taken, jobs))


class _Run:
    """A run: what is measured already, and what is left to do."""

    def __init__(self, clips: Sequence[Clip], enhancers: Sequence[ClipEnhancer], measures: Sequence[Measure]) -> None:
        self._clips = clips
        self._enhancers = enhancers
        self._keys = frozenset(measure.key for measure in measures)
        self._measures_mark = mark_of_measures(measures)
        self._row_keys: dict[tuple[str, str], str] = {}
        self._rows: dict[tuple[str, str], ClipResult] = {}

    def plan(self, journal: Journal, save_to: Path | None, transparent: Collection[str]) -> list[ClipTask]:
        """Take what is measured already from the journal, and return what is left."""
        names = [(UNPROCESSED, ""), *((enhancer.name, enhancer.version) for enhancer in self._enhancers)]
        tasks = []
        for clip in self._clips:
            mark = mark_of(clip)
            is_transparent = clip.name in transparent and bool(self._keys & TRANSPARENCY_KEYS)
            missing = set()
            for name, version in names:
                key = row_key(mark, name, version, self._measures_mark, is_transparent, save_to)
                self._row_keys[clip.name, name] = key
                row = journal.get(key)
                if row is None or not all(Path(path).exists() for path in row.files.values()):
                    missing.add(name)
                else:
                    self._rows[clip.name, name] = row
            if missing:
                left = tuple(enhancer for enhancer in self._enhancers if enhancer.name in missing)
                tasks.append(ClipTask(clip, left, UNPROCESSED in missing, self._keys, is_transparent, save_to))
        return tasks

    def work(self, tasks: list[ClipTask], jobs: int, journal: Journal, progress: Progress | None) -> list[ClipResult]:
        """Do what is left, and return all rows in the order of clips and enhancers."""
        tell = progress or _tell_nobody
        tell(len(self._rows), len(self._row_keys))
        with closing(_measured(tasks, jobs)) as measured:
            for row in measured:
                place = row.clip, row.enhancer
                self._rows[place] = row
                journal.add(self._row_keys[place], row)
                tell(len(self._rows), len(self._row_keys))
        return [self._rows[place] for place in self._row_keys]


def _tell_nobody(_: int, __: int) -> None:
    """Take counts that nobody waits for."""


def _measured(tasks: list[ClipTask], jobs: int) -> Generator[ClipResult, None, None]:
    """Yield a row for each name of each task, as they are done."""
    if jobs == 0:
        for task in tasks:
            rows: list[ClipResult] = []
            measure_clip(task, rows.append)
            yield from rows
        return
    left = tasks
    with one_thread_each():
        while left:
            left = yield from _measured_by_crew(left, jobs)


def _measured_by_crew(tasks: list[ClipTask], jobs: int) -> Generator[ClipResult, None, list[ClipTask]]:
    """Yield rows; return what is left because its process ended at an enhancer that came before."""
    told: dict[int, set[str]] = {index: set() for index in range(len(tasks))}
    left = []
    with closing(run_in_workers(tasks, measure_clip, jobs)) as crew:
        for index, kind, value in crew:
            if kind == "told":
                told[index].add(value.enhancer)
                yield value
            elif kind == "died":
                culprit, *others = (name for name in tasks[index].names if name not in told[index])
                yield tasks[index].failed_row(culprit, f"{value}; out of memory, perhaps")
                if others:
                    left.append(tasks[index].only(others))
    return left


def _spread(clips: Sequence[Clip], count: int) -> frozenset[str]:
    """Return the names of so many clips with a reference, evenly spread."""
    referenced = [clip.name for clip in clips if clip.has_reference]
    wanted = min(max(count, 0), len(referenced))
    return frozenset(referenced[place * len(referenced) // wanted] for place in range(wanted))
