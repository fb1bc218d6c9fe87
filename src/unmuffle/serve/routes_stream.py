"""The WebSocket /v1/stream: live audio in, clear audio out, a few milliseconds of work behind."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from unmuffle.serve.errors_http import ApiError, as_api_error
from unmuffle.serve.logs import log
from unmuffle.serve.state import ServerState
from unmuffle.serve.stream_protocol import Hello, close_code, error_message, read_hello
from unmuffle.serve.stream_session import StreamSession
from unmuffle.serve.wires import AsgiWire, DirectWire

OPENAPI: dict[str, Any] = {}
"""A WebSocket has no place in OpenAPI; docs/server.md describes it."""


async def start(state: ServerState) -> None:
    """Make the pool and begin to work."""
    from unmuffle.serve.pool import StreamPool
    from unmuffle.serve.stream_hub import StreamHub

    settings = state.settings
    pool = await asyncio.to_thread(StreamPool, settings.model, settings.capacity, on_overload=settings.on_overload)
    state.streams = StreamHub(state, pool)
    await state.streams.start()


def routes(state: ServerState) -> list[BaseRoute]:
    """Return the endpoint."""

    async def stream(websocket: WebSocket) -> None:
        await websocket.accept()
        wire = _wire_of(websocket, state)
        try:
            hello = await _hello(websocket, state.settings.hello_timeout_s)
            client = _client_of(websocket, hello, state)
            state.limits.check_audio(client)
            with state.limits.stream(client):
                await _carry(await state.streams.open(hello, client, wire), wire, state)
        except WebSocketDisconnect:
            state.metrics.streams_refused.labels("gone").inc()
        except Exception as fault:
            error = as_api_error(fault)
            state.metrics.streams_refused.labels(error.code).inc()
            wire.send(json.dumps(error_message(error)))
            wire.close(close_code(error), error.code)
            await wire.finish()
            if error.status == 500:
                raise

    return [WebSocketRoute("/v1/stream", stream)]


async def _carry(session: StreamSession, wire: AsgiWire | DirectWire, state: ServerState) -> None:
    hello = session.hello
    told: dict[str, Any] = {"stream": session.name, "client": session.client}
    log("stream opened", **told, rate=hello.sample_rate, channels=hello.channels)
    try:
        session.tell_ready()
        await wire.run(session)
    finally:
        state.streams.drop(session)
        log("stream closed", **told, code=session.end_code, seconds=round(session.seconds, 2))


def _wire_of(websocket: WebSocket, state: ServerState) -> AsgiWire | DirectWire:
    from unmuffle.serve.direct import EXTENSION

    protocol = websocket.scope.get("extensions", {}).get(EXTENSION)
    return AsgiWire(websocket) if protocol is None else DirectWire(websocket, protocol, state.settings.slow_client_s)


async def _hello(websocket: WebSocket, limit_s: float) -> Hello:
    try:
        message = await asyncio.wait_for(websocket.receive(), limit_s)
    except asyncio.TimeoutError:
        raise ApiError(408, f"no hello came within {limit_s:g} s", "no_hello") from None
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1006))
    if message.get("text") is None:
        raise ApiError(422, "the first message must be a hello as JSON text, not samples", "no_hello")
    return read_hello(message["text"])


def _client_of(websocket: WebSocket, hello: Hello, state: ServerState) -> str:
    """Return who the client is, by the key of its headers, else of its hello, else its address."""
    known = websocket.scope["state"]
    if not state.keys.wanted or "key_name" in known:
        return known["client"]
    name = state.keys.name_of(hello.key)
    if name is None:
        raise ApiError(401, 'a key is needed: in the header Authorization, or as "key" in the hello')
    return name
