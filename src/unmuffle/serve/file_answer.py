"""Answers that are files, sent in constant memory, and what is done where a client goes away before there is one."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import anyio
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

from unmuffle.serve.errors_http import ApiError
from unmuffle.serve.temporary import remove_folder

ResultT = TypeVar("ResultT")

LONGEST_WARNINGS = 4000
WARNINGS, CACHE, CHAIN = TOLD_HEADERS = ("X-Unmuffle-Warnings", "X-Unmuffle-Cache", "X-Unmuffle-Chain")
"""Headers of a result: what could not be kept; whether the cache had it; the file's own chain, of ``preset=auto``."""


class FileAnswer(FileResponse):
    """A file, and the folder that is removed once it was sent, or once nobody takes it any more.

    Parameters
    ----------
    path : path
    folder : Path
    media_type, filename : str
    headers : mapping of str to str, optional
    disposition : {"attachment", "inline"}
        Whether a browser keeps it or shows it.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        folder: Path,
        media_type: str,
        filename: str,
        headers: Mapping[str, str] | None = None,
        disposition: str = "attachment",
    ) -> None:
        super().__init__(
            path, media_type=media_type, filename=filename, headers=headers, content_disposition_type=disposition
        )
        self._folder = folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await remove_in_thread(self._folder)


def told_headers(done: Mapping[str, Any]) -> dict[str, str]:
    """Return headers that tell what could not be kept, as a list in JSON of ASCII, and what else is known of a result.

    >>> told_headers({"warnings": ["no picture"], "from_cache": True, "chain": "denoise"})
    {'X-Unmuffle-Warnings': '["no picture"]', 'X-Unmuffle-Cache': 'hit', 'X-Unmuffle-Chain': 'denoise'}
    """
    warnings = json.dumps(done["warnings"])
    told = {WARNINGS: warnings} if done["warnings"] and len(warnings) <= LONGEST_WARNINGS else {}
    if done["from_cache"] is not None:
        told[CACHE] = "hit" if done["from_cache"] else "miss"
    if done["chain"] is not None:
        told[CHAIN] = done["chain"]
    return told


async def remove_in_thread(folder: Path) -> None:
    """Remove a folder, also where the request has been cancelled."""
    with anyio.CancelScope(shield=True):
        await to_thread.run_sync(remove_folder, folder)


async def while_connected(request: Request, work: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """Do work for a client, and cancel it if the client goes away.

    Parameters
    ----------
    request : Request
        Its body was read.
    work : callable
        What is awaited.

    Raises
    ------
    ApiError
        499 if the client went away; whatever the work raises.
    """
    results: list[ResultT] = []
    errors: list[Exception] = []

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        # Kept until the watch has ended: a group of tasks wraps what is raised in it.
        try:
            results.append(await work())
        except Exception as error:
            errors.append(error)
        group.cancel_scope.cancel()
    if errors:
        raise errors[0]
    if not results:
        raise ApiError(499, "the client went away", "client_gone")
    return results[0]
