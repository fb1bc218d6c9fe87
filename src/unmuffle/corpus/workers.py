"""Worker processes, each with a pipe of its own: one that dies takes only the file it had in hand with it."""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

TaskT = TypeVar("TaskT")

Report = Callable[[Any], None]
"""What a worker calls to tell the parent something before it is done."""


class WorkerDiedError(Exception):
    """A worker process ended in the middle of a task."""


class _Worker(Generic[TaskT]):
    def __init__(self, work: Callable[[TaskT, Report], Any]) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, far_end = context.Pipe()
        self.process: BaseProcess = context.Process(target=_serve, args=(far_end, work), daemon=True)
        self.process.start()
        # With the parent's copy closed, the death of the worker ends the pipe.
        far_end.close()

    def stop(self) -> None:
        self.process.terminate()
        self.process.join()
        self.pipe.close()


def run_in_workers(
    tasks: list[TaskT], work: Callable[[TaskT, Report], Any], workers: int
) -> Iterator[tuple[int, str, Any]]:
    """Do all tasks in worker processes.

    Parameters
    ----------
    tasks : list
        Anything that can be pickled.
    work : callable
        A module's function, or a `functools.partial` of one, that does a task and returns its result; errors it
        does not catch itself end the run.
    workers : int
        How many processes, at least 1.

    Yields
    ------
    (index, kind, value)
        ``index`` is that of the task; ``kind`` is ``"told"`` for what the work reported, ``"done"`` with the
        result, or ``"died"`` with a :class:`WorkerDiedError`, after which the other tasks go on.
    """
    waiting = list(reversed(range(len(tasks))))
    busy: dict[Connection, tuple[_Worker[TaskT], int]] = {}

    def hand_out(worker: _Worker[TaskT]) -> None:
        if waiting:
            index = waiting.pop()
            busy[worker.pipe] = (worker, index)
            worker.pipe.send(tasks[index])
        else:
            worker.stop()

    try:
        for _ in range(min(workers, len(tasks))):
            hand_out(_Worker(work))
        while busy:
            for pipe in wait(list(busy)):
                assert isinstance(pipe, Connection)  # noqa: S101 (only connections were waited for)
                worker, index = busy[pipe]
                try:
                    kind, value = pipe.recv()
                except (EOFError, ConnectionResetError):
                    del busy[pipe]
                    worker.stop()
                    yield index, "died", WorkerDiedError(f"its process ended with exit code {worker.process.exitcode}")
                    if waiting:
                        hand_out(_Worker(work))
                    continue
                if kind == "done":
                    del busy[pipe]
                    hand_out(worker)
                yield index, kind, value
    finally:
        for worker, _ in busy.values():
            worker.stop()


def _serve(pipe: Connection, work: Callable[[Any, Report], Any]) -> None:
    """Do tasks until stopped; a stop unwinds the task in hand, so that nothing half-written stays behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        while True:
            pipe.send(("done", work(pipe.recv(), lambda value: pipe.send(("told", value)))))
    except (EOFError, BrokenPipeError):
        # The parent is gone.
        return
