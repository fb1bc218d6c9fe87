"""The work on files of one server process: its private folder, its limited processes, its jobs."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread
from prometheus_client.core import Metric
from starlette.requests import Request

from unmuffle.serve.errors_http import STOPPING, ApiError
from unmuffle.serve.file_answer import remove_in_thread, while_connected
from unmuffle.serve.file_parameters import EnhanceOptions
from unmuffle.serve.jobs import ENDED, QUEUED, RUNNING, JobQueue
from unmuffle.serve.media_child import Tell
from unmuffle.serve.media_pool import MediaLimits, MediaPool, TaskCancelledError, TaskHandle
from unmuffle.serve.metrics import counter
from unmuffle.serve.state import ServerState
from unmuffle.serve.temporary import PrivateFolder
from unmuffle.serve.uploads import Upload, receive_uploads

WAITING_A_PLACE = 4
"""So many requests may wait for each that is worked on."""
BUSY_RETRY_S = 5.0
RESULT_OVER_UPLOAD = 16
"""A result may be so many times as large as the largest upload: what was compressed may come back as WAV."""


@dataclass
class Received:
    """The files of a request.

    Attributes
    ----------
    folder : Path
        Where they lie.
    uploads : dict of str to Upload
        By role.
    kept : bool
        Whether an answer has taken the folder over.
    """

    folder: Path
    uploads: dict[str, Upload] = field(default_factory=dict)
    kept: bool = False


class FileWork:
    """What the endpoints for files share; ``state.files``.

    Attributes
    ----------
    folder : PrivateFolder
    jobs : JobQueue
    """

    def __init__(self, state: ServerState, loop: asyncio.AbstractEventLoop) -> None:
        settings = state.settings
        self._state = state
        self.folder = PrivateFolder(settings.temp_dir)
        limits = MediaLimits(
            memory_bytes=settings.decode_memory_bytes,
            cpu_s=settings.decode_seconds_limit,
            file_bytes=RESULT_OVER_UPLOAD * settings.max_upload_bytes,
        )
        self._pool = MediaPool(limits, self.folder.path)
        self._places = anyio.CapacityLimiter(settings.max_jobs)
        self._most_begun = (1 + WAITING_A_PLACE) * settings.max_jobs
        self._begun = 0
        self._handles: set[TaskHandle] = set()
        self.jobs = JobQueue(settings, self.folder, self._run, self._did_in_thread)
        self._loop = loop
        self._found = {True: 0, False: 0}

    def start(self) -> None:
        """Remove what dead processes have left, and make ready for the first file."""
        self.folder.sweep()
        self._pool.warm_up()
        self.jobs.start()

    def give_up(self) -> None:
        """End all work on files, whose clients are told so."""
        for handle in tuple(self._handles):
            handle.cancel()
        self.jobs.give_up()

    def close(self) -> None:
        """End everything, and remove the folder."""
        self.jobs.close()
        self._pool.close()
        self.folder.close()

    def unfinished(self) -> int:
        """Return how many files are being worked on or wait for it."""
        return self._begun + self.jobs.unfinished

    @contextlib.asynccontextmanager
    async def received(
        self, request: Request, needed: Sequence[str] = ("file",), optional: Sequence[str] = ()
    ) -> AsyncIterator[Received]:
        """Take the files of a request whose client waits for the answer; see ``receive_uploads``.

        Their folder is removed at the end unless ``kept`` is set; so is the place that is held from before they come,
        that no more come than can be worked on soon.

        Raises
        ------
        ApiError
            429 if no place is left, and what ``receive_uploads`` raises.
        """
        if self._begun >= self._most_begun:
            raise ApiError(
                429, "all that work on files are busy: try again, or send a job to /v1/jobs", retry_after_s=BUSY_RETRY_S
            )
        self._begun += 1
        try:
            taken = Received(await to_thread.run_sync(self.folder.make, "request"))
            try:
                taken.uploads = await self._receive(request, taken.folder, needed, optional)
                yield taken
            finally:
                if not taken.kept:
                    await remove_in_thread(taken.folder)
        finally:
            self._begun -= 1

    @contextlib.asynccontextmanager
    async def received_job(self, request: Request, client: str) -> AsyncIterator[tuple[str, Received]]:
        """Take the file of a job, and give the job's id; what is not submitted is removed.

        Raises
        ------
        ApiError
            429 if there is no room for a job, and what ``receive_uploads`` raises.
        """
        job_id, folder = await to_thread.run_sync(self.jobs.reserve, client)
        try:
            yield job_id, Received(folder, await self._receive(request, folder))
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(self.jobs.release, job_id, client)

    async def run(self, request: Request, task: Mapping[str, Any]) -> dict[str, Any]:
        """Have a task done for a client that waits, and end it if the client goes away.

        Raises
        ------
        ApiError
            What the client is told.
        """
        handle = TaskHandle()
        self._handles.add(handle)
        asked_s = time.perf_counter()

        def in_thread() -> dict[str, Any]:
            self._state.metrics.stage_s.labels("wait").observe(time.perf_counter() - asked_s)
            return self._run(task, None, handle)

        async def work() -> dict[str, Any]:
            try:
                return await to_thread.run_sync(in_thread, abandon_on_cancel=True, limiter=self._places)
            finally:
                # Does nothing to a task that is done.
                handle.cancel()

        try:
            return await while_connected(request, work)
        except TaskCancelledError:
            raise ApiError(503, STOPPING, "draining", retry_after_s=1.0) from None
        finally:
            self._handles.discard(handle)

    def _run(self, task: Mapping[str, Any], tell: Tell | None, handle: TaskHandle) -> dict[str, Any]:
        with self._state.metrics.stage_s.labels(task["kind"]).time():
            return self._pool.run(task, tell, handle)

    async def _receive(
        self, request: Request, folder: Path, needed: Sequence[str] = ("file",), optional: Sequence[str] = ()
    ) -> dict[str, Upload]:
        with self._state.metrics.stage_s.labels("upload").time():
            return await receive_uploads(request, folder, needed, optional)

    def enhance_task(self, received: Received, options: EnhanceOptions) -> dict[str, Any]:
        """Return the task of enhancing a file."""
        cache = self._state.settings.cache
        kept = None if cache is None else str(cache)
        return self.task(
            "enhance",
            received,
            format=options.format,
            parameters=options.parameters,
            diagnose=options.diagnose,
            cache=kept,
        )

    def task(self, kind: str, received: Received, **options: Any) -> dict[str, Any]:
        """Return a task for the limited processes."""
        return {
            "kind": kind,
            "files": {role: str(upload.path) for role, upload in received.uploads.items()},
            "names": {role: upload.name or f"the {role}" for role, upload in received.uploads.items()},
            "folder": str(received.folder),
            "max_s": self._state.settings.max_duration_s,
            **options,
        }

    def did(self, client: str, done: Mapping[str, Any]) -> None:
        """Count a file that was enhanced."""
        seconds, from_cache = done["seconds"], done["from_cache"]
        if from_cache is not None:
            self._found[from_cache] += 1
        self._state.limits.count_audio(client, seconds)
        self._state.metrics.audio_s.labels("file").inc(seconds)

    def cache_numbers(self) -> list[Metric]:
        """Return how often a result was found in the cache, and how often not."""
        return [
            counter("cache_hits", "Files whose result was in the cache", self._found[True]),
            counter("cache_misses", "Files whose result was not in the cache", self._found[False]),
        ]

    def _did_in_thread(self, client: str, done: Mapping[str, Any]) -> None:
        # The loop may have ended before the last job.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.did, client, done)


async def start_file_work(state: ServerState) -> None:
    """Make ``state.files``, once, and see to its end."""
    if hasattr(state, "files"):
        return
    work = await to_thread.run_sync(FileWork, state, asyncio.get_running_loop())
    state.files = work
    # It warns of each form that is none, which is for the client to know.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    state.stack.push_async_callback(to_thread.run_sync, work.close)
    await to_thread.run_sync(work.start)
    state.wait_for(work.unfinished)
    state.on_end(work.give_up)
    if state.settings.cache is not None:
        state.metrics.watch(work.cache_numbers)
    for job_state in (QUEUED, RUNNING, *ENDED):
        state.metrics.jobs.labels(job_state).set_function(functools.partial(work.jobs.count, job_state))


def client_of(request: Request) -> str:
    """Return what the limits call who sends a request."""
    return str(request.scope.get("state", {}).get("client", "local"))
