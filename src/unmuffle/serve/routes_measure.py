"""Scores of an enhanced file beside the noisy one, and against a clean one."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from unmuffle.serve.errors_http import ApiError
from unmuffle.serve.file_answer import FileAnswer
from unmuffle.serve.file_description import FILE_ERRORS, form_of, query
from unmuffle.serve.file_work import start_file_work
from unmuffle.serve.parameters import only_known
from unmuffle.serve.state import ServerState

NEEDED = ["noisy", "enhanced"]
OPTIONAL = ("clean",)
FORMATS = ("json", "html")

OPENAPI: dict[str, Any] = {
    "/v1/measure": {
        "post": {
            "summary": "Measure what an enhancement has gained and what it has damaged",
            "parameters": [query("format", {"enum": list(FORMATS)}, "json unless given; html is a page to keep")],
            "requestBody": {"required": True, "content": form_of(NEEDED, OPTIONAL)},
            "responses": {
                "200": {
                    "description": "Scores by name, of both files, and the gains",
                    "content": {
                        "application/json": {"schema": {"type": "object"}},
                        "text/html": {"schema": {"type": "string"}},
                    },
                },
                **FILE_ERRORS,
            },
        }
    }
}


async def start(state: ServerState) -> None:
    """Make ready for files."""
    await start_file_work(state)


def routes(state: ServerState) -> list[BaseRoute]:
    """Return the endpoints."""

    async def measure(request: Request) -> Response:
        only_known(request.query_params, ("format",))
        form = request.query_params.get("format") or "json"
        if form not in FORMATS:
            raise ApiError(422, f"there is no format {form[:20]!r}; there are: {', '.join(FORMATS)}")
        work = state.files
        async with work.received(request, NEEDED, OPTIONAL) as received:
            done = await work.run(request, work.task("measure", received, html=form == "html"))
            if form == "html":
                received.kept = True
                return FileAnswer(done["path"], received.folder, "text/html; charset=utf-8", "report.html")
            return JSONResponse(done)

    return [Route("/v1/measure", measure, methods=["POST"])]
