"""Whether the server lives, whether it can take more, and its numbers."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from unmuffle.serve.errors_http import STOPPING, ApiError
from unmuffle.serve.state import ServerState

OPENAPI: dict[str, Any] = {
    "/healthz": {"get": {"summary": "Whether the server lives", "responses": {"200": {"description": "It does"}}}},
    "/readyz": {
        "get": {
            "summary": "Whether it can take a stream",
            "responses": {"200": {"description": "It can"}, "503": {"description": "It is full or about to stop"}},
        }
    },
    "/metrics": {
        "get": {
            "summary": "Numbers for Prometheus",
            "responses": {"200": {"description": "Text", "content": {"text/plain": {}}}},
        }
    },
}


def routes(state: ServerState) -> list[BaseRoute]:
    """Return the endpoints."""

    async def healthz(_request: Request) -> JSONResponse:
        return JSONResponse(state.described())

    async def readyz(_request: Request) -> JSONResponse:
        if state.draining:
            raise ApiError(503, STOPPING, "draining", retry_after_s=1.0)
        if not state.streams.has_room:
            raise ApiError(503, f"all {state.settings.capacity} streams are taken", "full", retry_after_s=1.0)
        return JSONResponse({"status": "ready", "streams": state.streams.count, "capacity": state.settings.capacity})

    async def metrics(_request: Request) -> Response:
        told = state.metrics.expose(state.settings.run_dir, state.settings.worker)
        return Response(told, media_type=state.metrics.content_type)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
