"""What both kinds of a client's stream know of connections: addresses, ends, and when to connect again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unmuffle.errors import InvalidParameterError
from unmuffle.serve.client_messages import GOING_AWAY, ServerError, StreamMessages

if TYPE_CHECKING:
    from websockets.exceptions import ConnectionClosed

CLIENT = '"unmuffle[client]"'
PATH = "/v1/stream"
LOST, NORMAL = 1006, 1000
RECONNECTS = 5
RECONNECT_PAUSE_S = 0.5


def stream_url(url: str) -> str:
    """Return the address of the stream of a server.

    >>> stream_url("https://example.org/")
    'wss://example.org/v1/stream'
    """
    if not url.startswith(("http://", "https://", "ws://", "wss://")):
        raise InvalidParameterError(f"the server {url!r} must begin with http:// or https://")
    base = url.rstrip("/").removesuffix(PATH)
    return base.replace("http", "ws", 1) + PATH if base.startswith("http") else base + PATH


def how_closed(closed: ConnectionClosed) -> tuple[int, str]:
    """Return with which code and reason the other side has closed."""
    return (LOST, "the connection was lost") if closed.rcvd is None else (closed.rcvd.code, closed.rcvd.reason)


def is_to_go_on(messages: StreamMessages, code: int, reconnect: bool) -> bool:
    """Return whether a stream goes on over another connection."""
    return reconnect and code in GOING_AWAY and not (messages.finished and code == NORMAL)


def check_end(messages: StreamMessages, code: int, reason: str) -> None:
    """Raise what the end of a stream has to tell."""
    if not (messages.finished and code == NORMAL):
        raise ServerError(f"the server closed the stream: {reason or code}", "closed")
