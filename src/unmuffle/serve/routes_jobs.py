"""Long files: sent once, enhanced while nobody waits, watched, and fetched."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import anyio
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from unmuffle.serve.errors_http import ApiError
from unmuffle.serve.file_answer import told_headers
from unmuffle.serve.file_description import FILE_BODY, FILE_ERRORS, OPTIONS, RESULT_HEADERS
from unmuffle.serve.file_parameters import EnhanceOptions
from unmuffle.serve.file_work import client_of, start_file_work
from unmuffle.serve.jobs import CANCELLED, DONE, ENDED, FAILED, NO_JOB, JobQueue
from unmuffle.serve.parameters import only_known
from unmuffle.serve.state import ServerState

LOOKED_EVERY_S = 0.2
HEARTBEAT_S = 10.0
GONE = {"code": "gone", "message": "the job was deleted, has expired, or ended with its process: send the file again"}
EVENT_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

_ID: list[dict[str, Any]] = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
_STATE: dict[str, Any] = {
    "type": "object",
    "required": ["id", "state", "progress", "error"],
    "properties": {
        "id": {"type": "string"},
        "state": {"enum": ["queued", "running", DONE, FAILED, CANCELLED]},
        "progress": {"type": "number", "minimum": 0, "maximum": 1},
        "error": {"type": ["object", "null"]},
        "warnings": {"type": "array", "items": {"type": "string"}},
        "chain": {"type": ["string", "null"], "description": "What was chosen for the file, with preset=auto"},
    },
}
_QUEUED: dict[str, Any] = {
    "type": "object",
    "required": ["id", "status_url", "events_url", "result_url"],
    "properties": {name: {"type": "string"} for name in ("id", "status_url", "events_url", "result_url")},
}
_NO_JOB: dict[str, Any] = {"404": {"description": "There is no such job, or it is over and forgotten"}}
OPENAPI: dict[str, Any] = {
    "/v1/jobs": {
        "post": {
            "summary": "Send a file to be enhanced while nobody waits",
            "parameters": OPTIONS,
            "requestBody": FILE_BODY,
            "responses": {
                "202": {"description": "It is queued", "content": {"application/json": {"schema": _QUEUED}}},
                **FILE_ERRORS,
            },
        }
    },
    "/v1/jobs/{id}": {
        "get": {
            "summary": "Tell how far a job is",
            "parameters": _ID,
            "responses": {
                "200": {"description": "How far it is", "content": {"application/json": {"schema": _STATE}}},
                **_NO_JOB,
            },
        },
        "delete": {
            "summary": "Cancel a job, or forget one that is done, with its result",
            "parameters": _ID,
            "responses": {"204": {"description": "It is so"}, **_NO_JOB},
        },
    },
    "/v1/jobs/{id}/events": {
        "get": {
            "summary": "Watch a job, as server-sent events: progress, then done, failed or cancelled",
            "parameters": _ID,
            "responses": {"200": {"description": "Events", "content": {"text/event-stream": {}}}, **_NO_JOB},
        }
    },
    "/v1/jobs/{id}/result": {
        "get": {
            "summary": "Fetch the enhanced file, or with Range a part of it",
            "parameters": _ID,
            "responses": {
                "200": {"description": "The file", "headers": RESULT_HEADERS, "content": {"*/*": {}}},
                "206": {"description": "A part of it", "headers": RESULT_HEADERS, "content": {"*/*": {}}},
                "409": {"description": "The job is not done"},
                **_NO_JOB,
            },
        }
    },
}


async def start(state: ServerState) -> None:
    """Make ready for files."""
    await start_file_work(state)


def routes(state: ServerState) -> list[BaseRoute]:
    """Return the endpoints."""

    async def submit(request: Request) -> JSONResponse:
        options = await to_thread.run_sync(EnhanceOptions.of, request.query_params, state.settings.model)
        client, work = client_of(request), state.files
        state.limits.check_audio(client)
        async with work.received_job(request, client) as (job_id, received):
            task, name = work.enhance_task(received, options), received.uploads["file"].name
            await to_thread.run_sync(work.jobs.submit, job_id, client, name, task)
        here = f"/v1/jobs/{job_id}"
        urls = {"status_url": here, "events_url": f"{here}/events", "result_url": f"{here}/result"}
        return JSONResponse({"id": job_id, **urls}, 202, headers={"Location": here})

    async def look(request: Request) -> JSONResponse:
        only_known(request.query_params, ())
        return JSONResponse(await _told(state.files.jobs, request), headers={"Cache-Control": "no-store"})

    async def events(request: Request) -> StreamingResponse:
        only_known(request.query_params, ())
        await _told(state.files.jobs, request)
        return StreamingResponse(
            _events(state.files.jobs, request), media_type="text/event-stream", headers=EVENT_HEADERS
        )

    async def result(request: Request) -> Response:
        only_known(request.query_params, ())
        job_id, jobs = request.path_params["id"], state.files.jobs
        told = await to_thread.run_sync(jobs.look, job_id, client_of(request))
        if told["state"] != DONE:
            error = told["error"] or {"message": f"the job is {told['state']}: wait until it is done"}
            raise ApiError(409, error["message"], "not_done")
        about = told["result"]
        path = jobs.folder_of(job_id) / about["file"]
        try:
            found = await to_thread.run_sync(path.stat)
        except FileNotFoundError:
            # It has just been deleted, or has just expired.
            raise ApiError(404, NO_JOB) from None
        kind, name, headers = about["media_type"], about["name"], told_headers(about)
        return FileResponse(path, media_type=kind, filename=name, headers=headers, stat_result=found)

    async def drop(request: Request) -> Response:
        only_known(request.query_params, ())
        await to_thread.run_sync(state.files.jobs.drop, request.path_params["id"], client_of(request))
        return Response(status_code=204)

    return [
        Route("/v1/jobs", submit, methods=["POST"]),
        Route("/v1/jobs/{id}", look, methods=["GET"]),
        Route("/v1/jobs/{id}", drop, methods=["DELETE"]),
        Route("/v1/jobs/{id}/events", events, methods=["GET"]),
        Route("/v1/jobs/{id}/result", result, methods=["GET"]),
    ]


async def _told(jobs: JobQueue, request: Request) -> dict[str, Any]:
    """Return what a client is told of a job."""
    told = await to_thread.run_sync(jobs.look, request.path_params["id"], client_of(request))
    result = told["result"] or {}
    return {
        "id": told["id"],
        "state": told["state"],
        "progress": round(told["progress"], 4),
        "error": told["error"],
        "warnings": result.get("warnings", []),
        "chain": result.get("chain"),
    }


async def _events(jobs: JobQueue, request: Request) -> AsyncIterator[str]:
    """Yield an event whenever something has changed, and a comment where nothing does, so that no proxy hangs up."""
    last, sent_s = None, 0.0
    while True:
        try:
            told = await _told(jobs, request)
        except ApiError:
            yield _event(FAILED, {**(last or {}), "state": FAILED, "error": GONE})
            return
        if told["state"] in ENDED:
            yield _event(told["state"], told)
            return
        if told != last:
            last, sent_s = told, time.monotonic()
            yield _event("progress", told)
        elif time.monotonic() - sent_s >= HEARTBEAT_S:
            sent_s = time.monotonic()
            yield ": still here\n\n"
        await anyio.sleep(LOOKED_EVERY_S)


def _event(kind: str, told: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(told)}\n\n"
