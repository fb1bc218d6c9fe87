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
PAGE_POLICY = "; ".join(
    (
        "sandbox allow-scripts",
        "default-src 'none'",
        "script-src 'unsafe-inline'",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "media-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""The report is made of names and audio of strangers. A browser shows it, but as a page of no origin at all: not even a
script that had got into it could ask this server for anything, or see what its pages keep. The page's own policy lets
only its own script run."""
PAGE_HEADERS = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-store"}

OPENAPI: dict[str, Any] = {
    "/v1/measure": {
        "post": {
            "summary": "Measure what an enhancement has gained and what it has damaged",
            "parameters": [
                query("format", {"enum": list(FORMATS)}, "json unless given; html is a page to read or keep")
            ],
            "requestBody": {
                "required": True,
                "description": "A form with the files noisy and enhanced, and clean where there is one",
                "content": form_of(NEEDED, OPTIONAL),
            },
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
                return FileAnswer(
                    done["path"], received.folder, "text/html; charset=utf-8", "report.html", PAGE_HEADERS, "inline"
                )
            return JSONResponse(done)

    return [Route("/v1/measure", measure, methods=["POST"])]
