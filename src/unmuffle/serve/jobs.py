"""Files that are enhanced while nobody waits: a bounded queue, and what became of each, told from files.

A job's folder holds its file, then its result, and always ``job.json``. So any worker process of a server can tell of a
job, whichever of them does it; only to cancel one does it have to ask the other, by a file in that folder.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from unmuffle.serve.errors_http import ApiError, as_api_error
from unmuffle.serve.file_parameters import media_type_of, result_name
from unmuffle.serve.logs import log, request_id
from unmuffle.serve.media_child import Tell
from unmuffle.serve.media_pool import TaskCancelledError, TaskHandle
from unmuffle.serve.settings import ServerSettings
from unmuffle.serve.temporary import PREFIX, PrivateFolder, owner_is_gone, remove_folder
from unmuffle.serve.uploads import disk_full_told

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
ENDED = (DONE, FAILED, CANCELLED)
STATE_FILE, CANCEL_FILE = "job.json", "cancel"
INTERRUPTED = {"code": "interrupted", "message": "the server's process ended: send the file again"}
NO_JOB = "there is no such job; results are kept for a while only"
RETRY_S = 5.0
TOLD_EVERY_S = 0.2
WATCHED_EVERY_S = 0.25
_ID = re.compile(r"([a-z0-9_]{4,16})-([0-9a-f]{32})")


@dataclass
class _Job:
    """A job of this process."""

    id: str
    client: str
    folder: Path
    name: str
    task: Mapping[str, Any]
    handle: TaskHandle = field(default_factory=TaskHandle)
    state: str = QUEUED
    progress: float = 0.0
    error: Mapping[str, str] | None = None
    result: Mapping[str, Any] | None = None
    expires: float | None = None
    told_s: float = 0.0
    request: str = field(default_factory=request_id.get)

    def described(self) -> dict[str, Any]:
        kept = ("id", "client", "state", "progress", "error", "result", "expires")
        return {name: getattr(self, name) for name in kept}


Run: TypeAlias = Callable[[Mapping[str, Any], "Tell | None", TaskHandle], dict[str, Any]]


class JobQueue:
    """The jobs of a process, and a look at those of its fellows.

    Parameters
    ----------
    settings : ServerSettings
    home : PrivateFolder
        Its folder holds those of the jobs.
    run : callable
        Does a task, as ``MediaPool.run``.
    did : callable
        Told the client and the result of each job that is done, from a thread of the queue.
    """

    def __init__(
        self,
        settings: ServerSettings,
        home: PrivateFolder,
        run: Run,
        did: Callable[[str, Mapping[str, Any]], None],
    ) -> None:
        self._settings = settings
        self._home = home
        self._run = run
        self._did = did
        self._jobs: dict[str, _Job] = {}
        self._waiting: deque[_Job] = deque()
        self._coming: list[str] = []
        self._changed = threading.Condition()
        self._given_up = False
        self._closed = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to work."""
        for work in (*[self._work] * self._settings.max_jobs, self._watch):
            thread = threading.Thread(target=work, daemon=True)
            thread.start()
            self._threads.append(thread)

    def give_up(self) -> None:
        """End what is not done, as failed: the server stops."""
        self._given_up = True
        for job in list(self._jobs.values()):
            if job.state not in ENDED:
                self._cancel(job)

    def close(self) -> None:
        """Give up what is not done, and end."""
        self.give_up()
        with self._changed:
            self._closed.set()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    @property
    def unfinished(self) -> int:
        """How many come, wait or run."""
        return len(self._coming) + sum(job.state not in ENDED for job in list(self._jobs.values()))

    def count(self, state: str) -> int:
        """Return how many of this process are in a state."""
        return sum(job.state == state for job in list(self._jobs.values()))

    def reserve(self, client: str) -> tuple[str, Path]:
        """Hold a place for a job while its file comes, and return its id and its folder; ``release`` must follow.

        Raises
        ------
        ApiError
            429 if too many wait, the client has too many, or the results that are kept take too much of the disk.
        """
        with self._changed:
            self._check_room(client)
            self._coming.append(client)
        digits = secrets.token_hex(16)
        job_id = f"{self._home.path.name.removeprefix(PREFIX)}-{digits}"
        try:
            return job_id, self._home.make("job", digits)
        except BaseException:
            self._coming.remove(client)
            raise

    def release(self, job_id: str, client: str) -> None:
        """Give back the place, and remove the folder, unless the job was submitted."""
        self._coming.remove(client)
        if job_id not in self._jobs:
            remove_folder(self.folder_of(job_id))

    def submit(self, job_id: str, client: str, name: str, task: Mapping[str, Any]) -> None:
        """Queue a job whose file has come.

        Parameters
        ----------
        job_id : str
            From ``reserve``.
        client : str
            Who sent it.
        name : str
            What the client calls the file.
        task : mapping
            As of ``MediaPool.run``.

        Raises
        ------
        ApiError
            507 if the disk is full.
        """
        job = _Job(job_id, client, self.folder_of(job_id), name, task)
        with disk_full_told():
            self._tell(job)
        with self._changed:
            self._jobs[job_id] = job
            self._waiting.append(job)
            self._changed.notify()

    def look(self, job_id: str, client: str) -> dict[str, Any]:
        """Return what is known of a job.

        Raises
        ------
        ApiError
            404 if there is none, or it was another key's.
        """
        job = self._jobs.get(job_id)
        told = job.described() if job is not None else _read(self.folder_of(job_id))
        if told is None or (told["client"].startswith("key:") and told["client"] != client):
            raise ApiError(404, NO_JOB)
        return told

    def drop(self, job_id: str, client: str) -> None:
        """Cancel a job that is not done; forget one that is, with its result.

        Raises
        ------
        ApiError
            404 as ``look``.
        """
        told = self.look(job_id, client)
        job = self._jobs.get(job_id)
        if told["state"] in ENDED:
            self._jobs.pop(job_id, None)
            remove_folder(self.folder_of(job_id))
        elif job is not None:
            self._cancel(job)
        else:
            with contextlib.suppress(OSError):
                (self.folder_of(job_id) / CANCEL_FILE).touch()

    def folder_of(self, job_id: str) -> Path:
        """Return the folder of a job, of this worker or another, or raise ``ApiError`` if the id is none."""
        found = _ID.fullmatch(job_id)
        if found is None:
            raise ApiError(404, NO_JOB)
        return self._home.path.parent / f"{PREFIX}{found[1]}" / f"job-{found[2]}"

    def _check_room(self, client: str) -> None:
        settings = self._settings
        unfinished = [job.client for job in self._jobs.values() if job.state not in ENDED] + self._coming
        waiting = len(unfinished) - self.count(RUNNING)
        if waiting >= settings.max_jobs_waiting:
            raise ApiError(429, f"{waiting} jobs are waiting: try again later", retry_after_s=RETRY_S)
        own = unfinished.count(client)
        if settings.jobs_per_client is not None and own >= settings.jobs_per_client:
            raise ApiError(429, f"{own} jobs of this client are not done: wait for one", retry_after_s=RETRY_S)
        sizes = [(job.expires or 0.0, job.result["size"]) for job in self._jobs.values() if job.result is not None]
        if sum(size for _, size in sizes) > settings.max_results_bytes:
            message = "the results that are kept take all the room there is: DELETE those of yours that you have"
            wait_s = max(min(sizes)[0] - time.time(), RETRY_S)
            raise ApiError(429, message, "no_room", retry_after_s=wait_s)

    def _cancel(self, job: _Job) -> None:
        with self._changed:
            waits = job in self._waiting
            if waits:
                self._waiting.remove(job)
        if waits:
            self._end_cancelled(job)
        job.handle.cancel()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed.is_set():
                    self._changed.wait()
                if self._closed.is_set():
                    return
                job = self._waiting.popleft()
                job.state = RUNNING
            # What the log tells of the job goes with the request that sent it.
            request_id.set(job.request)
            try:
                self._do(job)
            except Exception as error:
                # The disk may be full; the other jobs go on.
                log("a job could not be told of", logging.ERROR, kind=type(error).__name__)
                job.error = {"code": "unavailable", "message": "the server could not keep the result: try again later"}
                job.expires = time.time() + self._settings.result_kept_s
                job.state = FAILED

    def _do(self, job: _Job) -> None:
        self._try_to_tell(job)

        def tell(done_s: float, total_s: float | None) -> None:
            job.progress = min(done_s / total_s, 1.0) if total_s else 0.0
            if time.monotonic() - job.told_s >= TOLD_EVERY_S:
                self._try_to_tell(job)

        try:
            done = self._run(job.task, tell, job.handle)
        except TaskCancelledError:
            self._end_cancelled(job)
        except Exception as error:
            told = as_api_error(error)
            self._end(job, FAILED, {"code": told.code, "message": told.message})
        else:
            path = Path(done["path"])
            job.result = {
                "file": path.name,
                "name": result_name(job.name, done["suffix"]),
                "media_type": media_type_of(done["suffix"]),
                "size": path.stat().st_size,
                "seconds": done["seconds"],
                "warnings": done["warnings"],
                "from_cache": done["from_cache"],
                "chain": done["chain"],
            }
            self._did(job.client, done)
            self._end(job, DONE)

    def _end_cancelled(self, job: _Job) -> None:
        """End a job that its client does not want any more, or that the server has no time for."""
        if self._given_up:
            self._end(job, FAILED, INTERRUPTED)
        else:
            self._end(job, CANCELLED)

    def _end(self, job: _Job, state: str, error: Mapping[str, str] | None = None) -> None:
        kept = job.result["file"] if job.result is not None else None
        for path in job.folder.iterdir():
            if path.name not in (STATE_FILE, kept):
                path.unlink(missing_ok=True)
        job.progress = 1.0 if state == DONE else job.progress
        job.error = error
        job.expires = time.time() + self._settings.result_kept_s
        job.state = state
        self._try_to_tell(job)
        log("job ended", job=job.id, state=state, code=None if error is None else error["code"])

    def _try_to_tell(self, job: _Job) -> None:
        """Write down how a job is; where the disk is full, this worker still knows."""
        with contextlib.suppress(OSError):
            self._tell(job)

    def _tell(self, job: _Job) -> None:
        job.told_s = time.monotonic()
        half = job.folder / f"{STATE_FILE}.half"
        half.write_text(json.dumps(job.described()), encoding="utf-8")
        half.replace(job.folder / STATE_FILE)

    def _watch(self) -> None:
        """Hear what other workers ask for, and forget what has expired."""
        while not self._closed.wait(WATCHED_EVERY_S):
            for job in list(self._jobs.values()):
                if job.state not in ENDED:
                    if (job.folder / CANCEL_FILE).exists():
                        self._cancel(job)
                elif time.time() > (job.expires or 0.0) or not job.folder.exists():
                    self._jobs.pop(job.id, None)
                    remove_folder(job.folder)


def _read(folder: Path) -> dict[str, Any] | None:
    """Return what a worker has written of a job; None where there is none, or the worker is gone with it."""
    try:
        told: dict[str, Any] = json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if told["state"] not in ENDED and owner_is_gone(folder.parent):
        return told | {
            "state": FAILED,
            "error": INTERRUPTED,
        }
    return told
