"""Work in processes: all of it is done, and one that dies takes only its own task with it."""

from __future__ import annotations

import multiprocessing
import os
import sys

import pytest
from worker_tasks import process_id, quick_or_slow, square, square_or_die

from unmuffle.jobs.workers import WorkerDiedError, run_in_workers


def done(events):
    return {index: value for index, kind, value in events if kind == "done"}


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_every_task_is_told_of_and_done_once(workers):
    events = list(run_in_workers([1, 2, 3], square, workers))
    assert done(events) == {0: 1, 1: 4, 2: 9}
    assert sorted((kind, index) for index, kind, _ in events) == [
        *(("done", index) for index in range(3)),
        *(("told", index) for index in range(3)),
    ]
    assert ("told", "about to square 2") in [(kind, value) for index, kind, value in events if index == 1]


def test_a_process_does_many_tasks_and_none_of_them_is_ours():
    ids = done(run_in_workers([0] * 6, process_id, 2)).values()
    assert 1 <= len(set(ids)) <= 2
    assert os.getpid() not in ids


def test_results_come_as_they_are_done():
    order = [index for index, kind, _ in run_in_workers([1.5, 0.0], quick_or_slow, 2) if kind == "done"]
    assert order == [1, 0]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_process_that_is_killed_takes_only_its_own_task_with_it(workers):
    events = list(run_in_workers([2, -1, 3, -1, 4], square_or_die, workers))
    assert done(events) == {0: 4, 2: 9, 4: 16}
    died = {index: value for index, kind, value in events if kind == "died"}
    assert set(died) == {1, 3}
    assert all(isinstance(error, WorkerDiedError) and "exit code -9" in str(error) for error in died.values())
    assert not multiprocessing.active_children()


def test_leaving_early_stops_the_processes():
    events = run_in_workers([0.0, 60.0, 60.0], quick_or_slow, 2)
    assert next(events)[:2] == (0, "done")
    events.close()
    assert not multiprocessing.active_children()
