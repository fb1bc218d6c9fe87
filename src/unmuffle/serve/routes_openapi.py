"""The description of the interface: /openapi.json, and a page of it that needs no script and no other host."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import BaseRoute, Route

from unmuffle._version import __version__
from unmuffle.serve.state import ServerState

OPENAPI: dict[str, Any] = {}

ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "request_id"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "request_id": {"type": "string"},
            },
        }
    },
}

AGAIN = ("429", "503")
RETRY_AFTER: dict[str, Any] = {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 1}}

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
h2 { font: 600 1.1rem ui-monospace, monospace; border-top: 1px solid #8888; padding-top: 1rem; }
table { border-collapse: collapse; } td, th { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; }
:root { color-scheme: light dark; }
"""

DOCS_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


def routes(state: ServerState) -> list[BaseRoute]:  # noqa: ARG001
    """Return the endpoints."""
    return [Route("/openapi.json", openapi), Route("/docs", docs)]


async def openapi(_request: Request) -> JSONResponse:
    """Tell the interface to programs."""
    return JSONResponse(description())


async def docs(_request: Request) -> HTMLResponse:
    """Tell the interface to people."""
    return HTMLResponse(_page(description()), headers={"Content-Security-Policy": DOCS_POLICY})


def description() -> dict[str, Any]:
    """Return the OpenAPI document, of the paths of all parts."""
    from unmuffle.serve.app import parts

    paths: dict[str, Any] = {}
    for part in parts():
        for path, methods in getattr(part, "OPENAPI", {}).items():
            paths[path] = {method: _with_errors(told) | _named(method, path) for method, told in methods.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "unmuffle",
            "version": __version__,
            "description": "Make voices clear. Live streams go through the WebSocket /v1/stream.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {"Error": ERROR},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"key": []}],
    }


def _named(method: str, path: str) -> dict[str, Any]:
    """Return a name for programs that make clients of the description.

    >>> _named("get", "/v1/jobs/{id}/result")
    {'operationId': 'get_jobs_id_result'}
    """
    words = re.findall(r"\w+", path.removeprefix("/v1"))
    return {"operationId": "_".join((method, *words))}


def _with_errors(told: dict[str, Any]) -> dict[str, Any]:
    error = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
    responses = {status: dict(answer) for status, answer in told.get("responses", {}).items()}
    for status, answer in responses.items():
        if status[0] in "45":
            answer.setdefault("content", error["content"])
        if status in AGAIN:
            answer.setdefault("headers", {"Retry-After": RETRY_AFTER})
    responses.setdefault("default", {"description": "An error"} | error)
    return told | {"responses": responses}


def _page(told: dict[str, Any]) -> str:
    sections = [
        _section(f"{method.upper()} {path}", operation)
        for path, methods in told["paths"].items()
        for method, operation in methods.items()
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>unmuffle: interface</title><style>{STYLE}</style></head><body><main><h1>unmuffle {__version__}</h1>"
        f'<p>{escape(told["info"]["description"])} <a href="openapi.json">openapi.json</a></p>'
        f"{''.join(sections)}</main></body></html>"
    )


def _section(title: str, operation: dict[str, Any]) -> str:
    rows = [
        f"<tr><td><code>{escape(entry['name'])}</code><td>{escape(entry.get('in', ''))}"
        f"<td>{escape(entry.get('description', ''))}"
        for entry in operation.get("parameters", ())
    ]
    answers = [
        f"<tr><td><code>{escape(status)}</code><td colspan=2>{escape(answer.get('description', ''))}"
        for status, answer in operation["responses"].items()
    ]
    body = operation.get("requestBody")
    if body is not None:
        rows.append(f"<tr><td>body<td><td>{escape(body['description'])}")
    table = "".join(("<table>", *rows, *answers, "</table>"))
    words = escape(operation.get("description", ""))
    return f"<section><h2>{escape(title)}</h2><p>{escape(operation.get('summary', ''))}. {words}</p>{table}</section>"
