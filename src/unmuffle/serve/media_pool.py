"""A few limited processes, kept warm, that read files of strangers so that the server itself never does.

A task that meets a limit, crashes its decoder or is no longer wanted costs its process and nothing else: the process is
killed, and the next task starts another. Each is replaced after some tasks anyway, so that nothing gathers in it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unmuffle.errors import ModelError
from unmuffle.jobs.one_thread import ONE_THREAD
from unmuffle.serve.errors_http import ApiError, as_api_error
from unmuffle.serve.logs import log
from unmuffle.serve.media_child import Tell

START_S = 60.0
LONGEST_LINE = 16 * 2**20
TASKS_A_CHILD = 32
ATTEMPTS = 3
NOT_STARTED = "no process could be started to read the file: try again"
WALL_OVER_CPU, LEAST_WALL_S = 3.0, 60.0
"""A task may be silent for so many times its seconds of CPU on the wall, where others use the same cores."""
_START = "from unmuffle.serve.media_child import main; main()"
_KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "SYSTEMROOT", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_KEPT_PREFIXES = ("LC_", "PYTHON", "COVERAGE_")
_STATUS = {
    "not_audio": 415,
    "too_long": 413,
    "result_too_large": 413,
    "disk_full": 507,
    "model": 503,
}
"""Of what a task may fail with; 422 where nothing is said."""


class TaskCancelledError(Exception):
    """Nobody wants the task any more."""


@dataclass(frozen=True)
class MediaLimits:
    """What a process, and a task in it, may use.

    Attributes
    ----------
    memory_bytes : int
        Of a process.
    cpu_s : float
        Seconds of CPU of one task, besides those that are allowed for each second of audio.
    file_bytes : int
        Of any file that a task writes.
    """

    memory_bytes: int
    cpu_s: float
    file_bytes: int


class TaskHandle:
    """A hold on one task, from any thread, to cancel it."""

    def __init__(self) -> None:
        self.cancelled = False
        self._child: _Child | None = None
        self._lock = threading.Lock()

    def cancel(self) -> None:
        """End the task, whether it waits or runs."""
        with self._lock:
            self.cancelled = True
            if self._child is not None:
                self._child.kill()

    def given(self, child: _Child | None) -> None:
        """Take note of the process that does it."""
        with self._lock:
            self._child = child
            if self.cancelled and child is not None:
                child.kill()


class MediaPool:
    """The processes.

    Parameters
    ----------
    limits : MediaLimits
    folder : Path
        Where they may write temporary files; the folder of a task is in it.
    """

    def __init__(self, limits: MediaLimits, folder: Path) -> None:
        self._limits = limits
        self._folder = folder
        self._idle: list[_Child] = []
        self._lock = threading.Lock()
        self._closed = False
        self._silent_s = max(WALL_OVER_CPU * limits.cpu_s, LEAST_WALL_S)

    def warm_up(self) -> None:
        """Start a process for the first task, without waiting for it."""
        child = self._start()
        with self._lock:
            if not self._closed:
                self._idle.append(child)
                return
        child.end()

    @property
    def pids(self) -> list[int]:
        """Of the processes that wait for a task."""
        with self._lock:
            return [child.pid for child in self._idle]

    def run(
        self, task: Mapping[str, Any], tell: Tell | None = None, handle: TaskHandle | None = None
    ) -> dict[str, Any]:
        """Have a task done, and wait for it; see ``media_tasks.do_task`` for what is in it.

        Raises
        ------
        ApiError
            If it failed, with what a client is told.
        TaskCancelledError
            If it was cancelled.
        """
        handle = handle or TaskHandle()
        answer = self._begun_anew(task, tell, handle)
        if "failed" in answer:
            raise _as_api_error(answer["failed"])
        done: dict[str, Any] = answer["done"]
        if "path" in done:
            _check_file(Path(done["path"]), Path(task["folder"]))
        return done

    def close(self) -> None:
        """End all processes that wait for a task; those at work are ended by their handles."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for child in idle:
            child.end()

    def _begun_anew(self, task: Mapping[str, Any], tell: Tell | None, handle: TaskHandle) -> dict[str, Any]:
        """Return the answer of the first process that has not died before it was given the task."""
        left = ATTEMPTS
        while True:
            left -= 1
            try:
                return self._run(task, tell, handle)
            except _ChildEndedError as ended:
                if handle.cancelled:
                    raise TaskCancelledError from None
                if ended.at != _IDLE or not left:
                    raise self._told(ended) from None

    def _run(self, task: Mapping[str, Any], tell: Tell | None, handle: TaskHandle) -> dict[str, Any]:
        child = self._take()
        limits = {"cpu_s": self._limits.cpu_s, "file_bytes": self._limits.file_bytes}
        handle.given(child)
        try:
            return child.do({**task, **limits}, self._silent_s, tell)
        finally:
            handle.given(None)
            self._give_back(child)

    def _start(self) -> _Child:
        try:
            return _Child(self._limits.memory_bytes, self._folder)
        except OSError as error:
            log("no process can be started to read files", logging.ERROR, told=str(error))
            raise ApiError(503, NOT_STARTED) from error

    def _take(self) -> _Child:
        with self._lock:
            while self._idle:
                child = self._idle.pop()
                if child.is_alive:
                    return child
                child.end()
        return self._start()

    def _give_back(self, child: _Child) -> None:
        with self._lock:
            if child.is_idle and child.tasks < TASKS_A_CHILD and not self._closed:
                self._idle.append(child)
                return
            is_missed = not self._idle and not self._closed
        child.end()
        if is_missed:
            # So that the next task does not have to wait for its process to start; it can, if need be.
            with contextlib.suppress(ApiError):
                self.warm_up()

    def _told(self, ended: _ChildEndedError) -> ApiError:
        """Return what a client is told of a process that ended at its task."""
        told = {"at": ended.at, "code": ended.returncode, "timed_out": ended.timed_out}
        log("a process that reads files ended", logging.WARNING, **told)
        if ended.at == _STARTING:
            return ApiError(503, NOT_STARTED)
        if ended.timed_out:
            message = f"working on the file came no further for {self._silent_s:g} s: try again later"
            return ApiError(503, message, "timed_out", retry_after_s=30.0)
        if ended.returncode == -_SIGXCPU:
            message = f"working on the file took more than {self._limits.cpu_s:g} s of processor time: send less of it"
            return ApiError(422, message, "too_costly")
        if ended.returncode == -_SIGKILL:
            message = "the process that worked on the file was ended, perhaps for want of memory: try again"
            return ApiError(503, message, "interrupted", retry_after_s=1.0)
        return ApiError(422, "the file made its decoder crash: it is damaged, or made to do harm", "cannot_process")


_STARTING, _IDLE, _WORKING = "starting", "idle", "working"
"""What a process is at."""

_SIGXCPU = getattr(signal, "SIGXCPU", 0)
_SIGKILL = getattr(signal, "SIGKILL", 9)


class _ChildEndedError(Exception):
    def __init__(self, returncode: int, at: str, *, timed_out: bool) -> None:
        super().__init__(f"ended with {returncode}, {at}")
        self.returncode = returncode
        self.at = at
        self.timed_out = timed_out


class _Child:
    """One process; used by one thread at a time, and killed by any."""

    def __init__(self, memory_bytes: int, folder: Path) -> None:
        # A program of its own, not a fork: the server has threads, and its __main__ is not to be run again.
        self._process = subprocess.Popen(  # noqa: S603 (our own interpreter, with nothing from outside)
            [sys.executable, "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(folder),
        )
        self.pid = self._process.pid
        self.tasks = 0
        self._at = _STARTING
        self._timed_out = False
        self._until_s = 0.0
        # One that did not even start is met where its answer is read.
        with contextlib.suppress(OSError):
            self._send({"memory_bytes": memory_bytes})

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def is_idle(self) -> bool:
        return self._at == _IDLE and self.is_alive

    def do(self, task: Mapping[str, Any], wall_s: float, tell: Tell | None) -> dict[str, Any]:
        if self._at == _STARTING:
            self._wait_for(START_S, ("ready",), None)
            self._at = _IDLE
        self.tasks += 1
        # One that died while it waited is met where its answer is read.
        with contextlib.suppress(OSError):
            self._send(task)
        self._wait_for(START_S, ("taken",), None)
        self._at = _WORKING
        answer = self._wait_for(wall_s, ("done", "failed"), tell)
        self._at = _IDLE
        return answer

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            self._process.kill()

    def end(self) -> None:
        """Kill it, see it gone, and close the pipes."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _wait_for(self, seconds: float, last: Collection[str], tell: Tell | None) -> dict[str, Any]:
        """Return the first message that is of a kind in ``last``; it may be silent for so many seconds."""
        ended = threading.Event()
        self._until_s = time.monotonic() + seconds
        threading.Thread(target=self._watch, args=(ended,), daemon=True).start()
        try:
            while True:
                message = self._hear()
                self._until_s = time.monotonic() + seconds
                if message.keys() & last:
                    return message
                done_s, total_s = self._progress_in(message)
                if tell is not None:
                    tell(done_s, total_s)
        finally:
            ended.set()

    def _watch(self, ended: threading.Event) -> None:
        while not ended.wait(max(self._until_s - time.monotonic(), 0.0)):
            if time.monotonic() >= self._until_s:
                self._timed_out = True
                self.kill()
                return

    def _send(self, message: Mapping[str, Any]) -> None:
        pipe = self._process.stdin
        if pipe is not None:
            pipe.write(json.dumps(message).encode() + b"\n")
            pipe.flush()

    def _hear(self) -> dict[str, Any]:
        """Return the next message; what is none is taken as the end of the process."""
        pipe = self._process.stdout
        line = b"" if pipe is None else pipe.readline(LONGEST_LINE)
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            raise self._ended()
        return message

    def _progress_in(self, message: Mapping[str, Any]) -> tuple[float, float | None]:
        try:
            done_s, total_s = message["told"]
            return float(done_s), None if total_s is None else float(total_s)
        except (KeyError, TypeError, ValueError):
            raise self._ended() from None

    def _ended(self) -> _ChildEndedError:
        """Return how it ended; one that does not end by itself is ended."""
        # Its end of the pipe is closed a moment before it has ended, and why is worth knowing.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        self.kill()
        return _ChildEndedError(self._process.wait(), self._at, timed_out=self._timed_out)


def _environment(folder: Path) -> dict[str, str]:
    """Return what a process is told of ours: nothing secret, and one thread for each library."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT_ENVIRONMENT or name.startswith(_KEPT_PREFIXES)
    }
    return kept | ONE_THREAD | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))


def _check_file(path: Path, folder: Path) -> None:
    """See to it that a result is a file of the task's own, whatever a process says that a file has taken over."""
    if path.parent != folder or path.is_symlink() or not path.is_file():
        log("a process that reads files named a result that is none", logging.ERROR)
        raise ApiError(422, "the file cannot be processed: it is damaged, or made to do harm", "cannot_process")


def _as_api_error(failed: Mapping[str, str]) -> ApiError:
    code, message = failed["code"], failed["message"]
    if code == "unexpected":
        log("a task on a file failed unexpectedly", logging.ERROR, told=message)
        message = "the file cannot be processed: it is damaged, or of a kind that was never met"
    if code == "model":
        return as_api_error(ModelError(message))
    status = _STATUS.get(code, 422)
    return ApiError(status, message, code)
