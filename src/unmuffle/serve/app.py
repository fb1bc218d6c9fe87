"""The server as an ASGI application, put together from parts.

A part is a module ``unmuffle.serve.routes_*`` with ``routes(state)`` and, where it needs them, ``async start(state)``,
called once before the first request, and ``OPENAPI``, the paths that it adds to /openapi.json.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from types import ModuleType

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from unmuffle.serve.errors_http import HANDLERS
from unmuffle.serve.middleware import Access, RequestContext, cors
from unmuffle.serve.settings import ServerSettings
from unmuffle.serve.state import ServerState

PARTS = (
    "routes_health",
    "routes_openapi",
    "routes_models",
    "routes_stream",
    "routes_files",
    "routes_measure",
    "routes_jobs",
    "routes_page",
)
"""Modules of this package, in the order in which their routes are tried."""


def parts() -> tuple[ModuleType, ...]:
    """Return the modules of all parts."""
    return tuple(import_module(f"unmuffle.serve.{name}") for name in PARTS)


def create_app(settings: ServerSettings | None = None) -> Starlette:
    """Return the application.

    Parameters
    ----------
    settings : ServerSettings, optional
        Those of ``unmuffle serve`` without options by default.

    Returns
    -------
    Starlette
        ``app.state.server`` is its ServerState. The pool, and all else that is costly, is made when it starts.
    """
    state = ServerState(ServerSettings() if settings is None else settings)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with state.stack:
            for part in parts():
                if hasattr(part, "start"):
                    await part.start(state)
            yield
            await state.drain()

    middleware = [Middleware(RequestContext, state=state)]
    if state.settings.allowed_origins:
        middleware.append(Middleware(CORSMiddleware, **cors(state.settings.allowed_origins)))
    middleware.append(Middleware(Access, state=state))
    routes = [route for part in parts() for route in part.routes(state)]
    app = Starlette(routes=routes, middleware=middleware, exception_handlers=HANDLERS, lifespan=lifespan)
    app.state.server = state
    return app
