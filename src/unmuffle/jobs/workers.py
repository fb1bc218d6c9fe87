"""Worker processes, each with a pipe of its own: one that dies takes only the file it had in hand with it."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any, Generic, TypeVar

TaskT = TypeVar("TaskT")

UNWINDING_S = 30.0
"""What a worker that was told to stop may take to leave nothing half-written, before it is killed."""

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
        # A signal that comes just before a read waits until the read returns, and the exit that it raises is lost where
        # Python drops exceptions, as in a destructor: the end of the pipe is what such a process hears next.
        self.pipe.close()
        self.process.join(UNWINDING_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def run_in_workers(
    tasks: Iterable[TaskT], work: Callable[[TaskT, Report], Any], workers: int
) -> Generator[tuple[int, str, Any], None, None]:
    """Do all tasks in worker processes.

    Parameters
    ----------
    tasks : iterable
        Anything that can be pickled; each is taken when a worker is free for it.
    work : callable
        A module's function, or a `functools.partial` of one, that does a task and returns its result; errors it
        does not catch itself end its process.
    workers : int
        How many processes, at least 1.

    Yields
    ------
    (index, kind, value)
        ``index`` is that of the task, counted from 0; ``kind`` is ``"told"`` for what the work reported, ``"done"``
        with the result, or ``"died"`` with a ``WorkerDiedError``, after which the other tasks go on.
    """
    crew = _Crew(tasks, work)
    try:
        for _ in range(workers):
            if not crew.hire():
                break
        while crew.busy:
            for pipe in wait(list(crew.busy)):
                assert isinstance(pipe, Connection)  # noqa: S101 (only connections were waited for)
                yield crew.hear(pipe)
    finally:
        crew.dismiss()


class _Crew(Generic[TaskT]):
    """The workers, the tasks that wait for one, and who is at which."""

    def __init__(self, tasks: Iterable[TaskT], work: Callable[[TaskT, Report], Any]) -> None:
        self.busy: dict[Connection, tuple[_Worker[TaskT], int]] = {}
        self._work = work
        self._waiting = enumerate(tasks)

    def hire(self) -> bool:
        """Start a worker with the next task, and return whether there was one."""
        following = next(self._waiting, None)
        if following is not None:
            with _interrupts_held_back():
                self._hand_over(_Worker(self._work), *following)
        return following is not None

    def hear(self, pipe: Connection) -> tuple[int, str, Any]:
        """Take what a worker has to say, or its death, and see to it that the next task is begun."""
        worker, index = self.busy[pipe]
        try:
            kind, value = pipe.recv()
        except (EOFError, ConnectionResetError):
            del self.busy[pipe]
            worker.stop()
            self.hire()
            return index, "died", WorkerDiedError(f"its process ended with exit code {worker.process.exitcode}")
        if kind == "done":
            del self.busy[pipe]
            following = next(self._waiting, None)
            if following is None:
                worker.stop()
            else:
                self._hand_over(worker, *following)
        return index, kind, value

    def dismiss(self) -> None:
        """Stop all workers, whatever they are at."""
        for worker, _ in self.busy.values():
            worker.stop()

    def _hand_over(self, worker: _Worker[TaskT], index: int, task: TaskT) -> None:
        self.busy[worker.pipe] = (worker, index)
        # A worker that died meanwhile is noticed where its answer is read.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            worker.pipe.send(task)


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Hold Ctrl-C back from us until the end of the block, and for good from processes that are started in it.

    A process that is interrupted before its first line of ours runs, or that its parent does not finish starting, ends
    with a traceback.
    """
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        yield
        return
    # Started by the first process otherwise, and it would let interrupts through again.
    resource_tracker.ensure_running()
    held: list[int] = []
    # The mask is what processes inherit; it does not keep the signal from other threads and so from Python.
    handler = signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
        if held:
            signal.raise_signal(signal.SIGINT)


def _serve(pipe: Connection, work: Callable[[Any, Report], Any]) -> None:
    """Do tasks until stopped; a stop unwinds the task in hand, so that nothing half-written stays behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, unwind)
    try:
        while True:
            pipe.send(("done", work(pipe.recv(), lambda value: pipe.send(("told", value)))))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        # The parent is gone, or wants nothing more.
        return


def unwind(number: int, _: FrameType | None) -> None:
    """End the process, as the handler of a signal, by way of all open files, so that none is left half-written."""
    # A second one, as when a whole group of processes is ended, would disturb the unwinding.
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)
