"""Trials made in this process or in workers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from unmuffle.jobs.one_thread import one_thread_each
from unmuffle.jobs.workers import run_in_workers
from unmuffle.measure.impact.trials import Instruments, Task, Trial, Version, run_task


def make_trials(instruments: Instruments, tasks: list[Task], jobs: int) -> Iterator[Trial]:
    """Yield the trials of all tasks as they are made; those of a worker that died are yielded as failed.

    Parameters
    ----------
    instruments : Instruments
        What they are made with; pickled where there is more than one job.
    tasks : list of Task
        In the order in which they are begun.
    jobs : int
        How many processes; with 1 it is this one.
    """
    if jobs == 1 or len(tasks) <= 1:
        for task in tasks:
            made: list[Trial] = []
            run_task(instruments, task, made.append)
            yield from made
        return
    told: dict[int, set[Version]] = {}
    with one_thread_each():
        for index, kind, value in run_in_workers(tasks, partial(run_task, instruments), jobs):
            if kind == "told":
                told.setdefault(index, set()).add((value.enhancer, value.strength))
                yield value
            elif kind == "died":
                yield from _lost(tasks[index], told.get(index, set()), value)


def _lost(task: Task, told: set[Version], reason: Exception) -> Iterator[Trial]:
    for version in task.versions:
        if version not in told:
            yield task.trial(version, f"{task.utterance.name}: {reason}; out of memory, perhaps")
