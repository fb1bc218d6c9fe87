"""What stands before every endpoint: ids, logs, who may come in and how often, and how large and slow a request is."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from unmuffle.serve.errors_http import STOPPING, ApiError, as_api_error, error_response
from unmuffle.serve.file_answer import TOLD_HEADERS
from unmuffle.serve.keys import key_in
from unmuffle.serve.logs import id_of_request, log, request_id
from unmuffle.serve.settings import LOOPBACK
from unmuffle.serve.state import ServerState

METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS", "WS")
CHECKS = ("healthz", "readyz", "metrics")
"""Endpoints that are asked every few seconds: the log tells only of what is wrong with them."""

EXPOSED = (
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Location",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
    *TOLD_HEADERS,
)
"""Headers that scripts of other sites may read, where they may call at all."""

TAKEN = (
    "Authorization",
    "Content-Disposition",
    "Content-Type",
    "If-Range",
    "Range",
    "X-Api-Key",
    "X-Request-Id",
)
"""Headers that they may send."""

LOOK_EVERY_S = 1.0
LEAST_BYTES_PER_S = 1000
"""What comes more slowly than this, all in all, is given up: it holds a place that others wait for."""

GUARDED = "/v1/"
"""Paths under which keys and limits hold; the page, the health checks and the metrics are open."""


class RequestContext:
    """Gives each request an id, logs it, counts it, and answers what no endpoint has answered."""

    def __init__(self, app: ASGIApp, state: ServerState) -> None:
        self.app = app
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        own_id = id_of_request(Headers(scope=scope).get("x-request-id"))
        token = request_id.set(own_id)
        scope.setdefault("state", {})["request_id"] = own_id
        begun_s, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.accept", "websocket.http.response.start"):
                status = message.get("status", 101)
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = own_id
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "no-referrer")
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except (asyncio.CancelledError, WebSocketDisconnect):
            raise
        except Exception as error:
            told = as_api_error(error)
            if told.status == 500:
                log("an error that nobody expected", logging.ERROR, kind=type(error).__name__)
                logging.getLogger("unmuffle.serve").exception("traceback")
            if scope["type"] == "websocket" or status:
                raise
            await error_response(told)(scope, receive, send_with_id)
        finally:
            self._tell(scope, status, time.perf_counter() - begun_s)
            request_id.reset(token)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        endpoint = getattr(scope.get("endpoint"), "__name__", "none")
        # What a client makes up must not become one more line of the metrics.
        method = scope.get("method", "WS") if scope.get("method", "WS") in METHODS else "other"
        self.state.metrics.requests.labels(method, endpoint, status).inc()
        if scope["type"] == "http":
            self.state.metrics.request_s.labels(endpoint).observe(seconds)
        level = logging.DEBUG if endpoint in CHECKS and status == 200 else logging.INFO
        log("request", level, method=method, path=scope["path"], status=status, seconds=round(seconds, 4))


class Access:
    """Refuses other sites and strange names, asks for a key, and keeps each client within its limits."""

    def __init__(self, app: ASGIApp, state: ServerState) -> None:
        self.app = app
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        try:
            self._check_host(connection)
            if scope["path"].startswith(GUARDED):
                await self._guarded(connection, receive, send)
                return
        except ApiError as error:
            await _refuse(error, scope, receive, send)
            return
        await self.app(scope, receive, send)

    async def _guarded(self, connection: HTTPConnection, receive: Receive, send: Send) -> None:
        scope, state = connection.scope, self.state
        self._check_origin(connection)
        client = self._client_of(connection)
        scope["state"]["client"] = client
        state.limits.count_request(client)
        if scope["type"] == "websocket":
            with state.place():
                await self.app(scope, receive, send)
            return
        if state.draining and scope["method"] == "POST":
            raise ApiError(503, STOPPING, "draining", retry_after_s=1.0)
        limited = _LimitedBody(connection, receive, state)
        with state.place(), state.limits.request(client), state.running_request():
            await self.app(scope, limited, _patient(send, state.settings.slow_client_s))

    def _check_host(self, connection: HTTPConnection) -> None:
        settings = self.state.settings
        if not settings.is_loopback and not settings.allowed_hosts:
            return
        # A page of another site may have its name resolve to this machine, but not what the browser calls it.
        host = urlsplit(f"//{connection.headers.get('host', '')}").hostname or ""
        if host not in (*settings.allowed_hosts, *(LOOPBACK if settings.is_loopback else ())):
            raise ApiError(403, f"this server is not called {host[:100]!r}: start it with --allow-host", "wrong_host")

    def _check_origin(self, connection: HTTPConnection) -> None:
        origin = connection.headers.get("origin")
        if origin is None or origin in self.state.settings.allowed_origins:
            return
        if urlsplit(origin).netloc != connection.headers.get("host"):
            raise ApiError(403, f"pages of {origin[:100]!r} may not call: see --allow-origin", "wrong_origin")

    def _client_of(self, connection: HTTPConnection) -> str:
        address = connection.client.host if connection.client else "local"
        if not self.state.keys.wanted:
            return address
        name = self.state.keys.name_of(key_in(connection.headers))
        if name is None:
            # A browser cannot send headers with a WebSocket: there the hello may bring the key.
            if connection.scope["type"] == "websocket" and key_in(connection.headers) is None:
                return address
            raise ApiError(401, "a key is needed: send the header `Authorization: Bearer KEY`")
        connection.scope["state"]["key_name"] = name
        return name


class _LimitedBody:
    """Reads a request's body, and gives up where it is too large or has stopped coming."""

    def __init__(self, connection: HTTPConnection, receive: Receive, state: ServerState) -> None:
        self._receive = receive
        self._limit = state.settings.max_upload_bytes
        self._idle_s = state.settings.idle_timeout_s
        self._state = state
        self._begun_s = time.monotonic()
        self._taken = 0
        self._ended = False
        told = connection.headers.get("content-length", "")
        if told.isdecimal() and int(told) > self._limit:
            raise self._too_large()

    async def __call__(self) -> Message:
        # Once the body has ended, what is waited for is the end of the connection, which may be long in coming.
        if self._ended:
            return await self._receive()
        message = await self._next()
        self._taken += len(message.get("body", b""))
        self._ended = not message.get("more_body", False)
        if self._taken > self._limit:
            raise self._too_large()
        return message

    async def _next(self) -> Message:
        """Return what comes next; one that waits for it hears within a second that the server stops."""
        silent_s = time.monotonic() + self._idle_s
        slow_s = self._begun_s + self._idle_s + self._taken / LEAST_BYTES_PER_S
        while not self._state.ending:
            left_s = min(silent_s, slow_s) - time.monotonic()
            if left_s <= 0.0:
                slow = f"the body comes at less than {LEAST_BYTES_PER_S} bytes a second"
                raise ApiError(408, slow if slow_s < silent_s else f"nothing came for {self._idle_s:g} s")
            with suppress(asyncio.TimeoutError):
                return await asyncio.wait_for(self._receive(), min(left_s, LOOK_EVERY_S))
        raise ApiError(503, STOPPING, "draining", retry_after_s=1.0)

    def _too_large(self) -> ApiError:
        return ApiError(413, f"the file is larger than {self._limit} bytes")


def _patient(send: Send, limit_s: float) -> Send:
    """Send, but give up on a client that does not read."""

    async def send_in_time(message: Message) -> None:
        try:
            await asyncio.wait_for(send(message), limit_s)
        except asyncio.TimeoutError:
            log("gave up on a client that does not read", logging.WARNING)
            raise ConnectionError("the client does not read its answer") from None

    return send_in_time


async def _refuse(error: ApiError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a refusal; a WebSocket is told so before it is one."""
    response: JSONResponse = error_response(error)
    await response(scope, receive, send)


def cors(origins: Sequence[str]) -> dict[str, Any]:
    """Return the settings of Starlette's middleware for the sites that may call."""
    return {
        "allow_origins": list(origins),
        "allow_methods": ["GET", "POST", "DELETE"],
        "allow_headers": list(TAKEN),
        "expose_headers": list(EXPOSED),
    }
