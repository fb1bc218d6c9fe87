"""A file in, the enhanced file out; and what a file is, and what is wrong with it."""

from __future__ import annotations

from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from unmuffle.serve.file_answer import FileAnswer, told_headers
from unmuffle.serve.file_description import FILE_BODY, FILE_ERRORS, OPTIONS, RESULT_HEADERS
from unmuffle.serve.file_parameters import EnhanceOptions, media_type_of, result_name
from unmuffle.serve.file_work import client_of, start_file_work
from unmuffle.serve.parameters import only_known
from unmuffle.serve.state import ServerState

OPENAPI: dict[str, Any] = {
    "/v1/enhance": {
        "post": {
            "summary": "Enhance a file",
            "description": "The answer is the enhanced file. For long files, see /v1/jobs.",
            "parameters": OPTIONS,
            "requestBody": FILE_BODY,
            "responses": {
                "200": {
                    "description": "The enhanced file",
                    "headers": RESULT_HEADERS,
                    "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
                },
                **FILE_ERRORS,
            },
        }
    },
    "/v1/analyze": {
        "post": {
            "summary": "Tell what a file is, and what is wrong with it",
            "description": "As `unmuffle info --json` and `unmuffle diagnose --json`.",
            "requestBody": FILE_BODY,
            "responses": {
                "200": {
                    "description": "What it is (info), and what is wrong (diagnosis)",
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["info", "diagnosis"],
                                "properties": {"info": {"type": "object"}, "diagnosis": {"type": "object"}},
                            }
                        }
                    },
                },
                **FILE_ERRORS,
            },
        }
    },
}


async def start(state: ServerState) -> None:
    """Make ready for files."""
    await start_file_work(state)


def routes(state: ServerState) -> list[BaseRoute]:
    """Return the endpoints."""

    async def enhance(request: Request) -> Response:
        options = await to_thread.run_sync(EnhanceOptions.of, request.query_params, state.settings.model)
        client, work = client_of(request), state.files
        state.limits.check_audio(client)
        async with work.received(request) as received:
            done = await work.run(request, work.enhance_task(received, options))
            received.kept = True
        work.did(client, done)
        return FileAnswer(
            done["path"],
            received.folder,
            media_type_of(done["suffix"]),
            result_name(received.uploads["file"].name, done["suffix"]),
            told_headers(done),
        )

    async def analyze(request: Request) -> JSONResponse:
        only_known(request.query_params, ())
        work = state.files
        async with work.received(request) as received:
            return JSONResponse(await work.run(request, work.task("analyze", received)))

    return [Route("/v1/enhance", enhance, methods=["POST"]), Route("/v1/analyze", analyze, methods=["POST"])]
