"""What there is: the networks and the presets."""

from __future__ import annotations

from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from unmuffle.models import list_models
from unmuffle.presets import list_presets
from unmuffle.serve.state import ServerState

OPENAPI: dict[str, Any] = {
    "/v1/models": {"get": {"summary": "The networks that there are", "responses": {"200": {"description": "A list"}}}},
    "/v1/presets": {"get": {"summary": "The presets that there are", "responses": {"200": {"description": "A list"}}}},
}


def routes(state: ServerState) -> list[BaseRoute]:  # noqa: ARG001
    """Return the endpoints."""
    return [Route("/v1/models", models), Route("/v1/presets", presets)]


async def models(_request: Request) -> JSONResponse:
    """Tell of each network what its card says; where its file lies is nobody's business."""
    return JSONResponse(_models())


async def presets(_request: Request) -> JSONResponse:
    """Tell of each preset its name and what it is for."""
    return JSONResponse(_presets())


@cache
def _models() -> list[dict[str, Any]]:
    cards = [model.card for model in list_models() if model.card is not None]
    return [
        {
            "name": card.name,
            "version": card.version,
            "description": card.summary,
            "default": card.default,
            "latency_ms": card.latency_ms,
            "licence": card.licence,
            "sha256": card.sha256,
        }
        for card in cards
    ]


@cache
def _presets() -> list[dict[str, str]]:
    return [
        {"name": preset.name, "title": preset.name.replace("-", " ").capitalize(), "description": preset.summary}
        for preset in list_presets()
    ]
