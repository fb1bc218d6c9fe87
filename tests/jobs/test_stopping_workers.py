"""Workers end when nobody wants their results any more, whatever becomes of the signal that tells them."""

from __future__ import annotations

import contextlib
import time

from unmuffle.jobs import workers
from unmuffle.jobs.workers import run_in_workers


def deaf_at_first(task, tell):
    """Lose the exit that the signal raises, as Python does in destructors, and be done with the task."""
    tell("begun")
    with contextlib.suppress(SystemExit):
        time.sleep(60)
    return task


def deaf(task, tell):
    tell("begun")
    while True:
        with contextlib.suppress(SystemExit):
            time.sleep(60)


def first_report(work):
    """Take what the first worker tells, then want nothing more; return the seconds that takes."""
    crew = run_in_workers([1, 2], work, 2)
    assert next(crew)[1:] == ("told", "begun")
    begun = time.monotonic()
    crew.close()
    return time.monotonic() - begun


def test_a_worker_that_missed_the_signal_hears_the_end_of_its_pipe():
    assert first_report(deaf_at_first) < 20


def test_a_worker_that_hears_nothing_is_killed(monkeypatch):
    monkeypatch.setattr(workers, "UNWINDING_S", 0.5)
    assert first_report(deaf) < 20
