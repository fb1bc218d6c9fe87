"""Errors as clients see them: JSON of one form, with the right status, and nothing of the inside."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from unmuffle.errors import (
    AudioFileError,
    InvalidAudioError,
    InvalidParameterError,
    MissingExtraError,
    ModelError,
    UnmuffleError,
    one_line,
)
from unmuffle.serve.logs import log, request_id

CODES = {
    400: "bad_request",
    401: "key_needed",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    409: "conflict",
    413: "too_large",
    415: "not_audio",
    416: "range_not_satisfiable",
    422: "invalid",
    429: "too_many",
    500: "internal",
    501: "not_installed",
    503: "unavailable",
}
"""What the ``code`` of an error is where nothing closer is said."""


NO_MODEL = "the server's network cannot be used: whoever runs it finds in its log why"
STOPPING = "the server is about to stop: try again"
AGAIN_S = 5.0
"""After which a client may try again where nothing closer is known."""


class ApiError(Exception):
    """An error that a client is told of.

    Parameters
    ----------
    status : int
        HTTP status.
    message : str
        One line: what was wrong, and the way out.
    code : str, optional
        A word for programs; that of the status by default.
    retry_after_s : float, optional
        When to try again, for 429 and 503, which always tell.
    """

    def __init__(
        self, status: int, message: str, code: str | None = None, *, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code or CODES.get(status, "error")
        self.retry_after_s = AGAIN_S if retry_after_s is None and status in (429, 503) else retry_after_s

    @property
    def headers(self) -> dict[str, str]:
        """Retry-After where it is known, and how to come with a key."""
        told = {} if self.retry_after_s is None else {"Retry-After": str(max(1, math.ceil(self.retry_after_s)))}
        return told | ({"WWW-Authenticate": "Bearer"} if self.status == HTTPStatus.UNAUTHORIZED else {})


def error_body(code: str, message: str) -> dict[str, Any]:
    """Return the JSON of an error."""
    return {"error": {"code": code, "message": message, "request_id": request_id.get()}}


def error_response(error: ApiError, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the answer that tells of an error."""
    return JSONResponse(
        error_body(error.code, error.message), error.status, headers=error.headers | dict(headers or {})
    )


def as_api_error(error: Exception) -> ApiError:
    """Return what a client is told of any error; what is a fault of the server is not described."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, HTTPException):
        return ApiError(error.status_code, str(error.detail))
    if isinstance(error, (InvalidParameterError, InvalidAudioError)):
        return ApiError(422, one_line(error))
    if isinstance(error, AudioFileError):
        return ApiError(415, one_line(error))
    if isinstance(error, MissingExtraError):
        return ApiError(501, one_line(error))
    if isinstance(error, ModelError):
        log("the network cannot be used", logging.ERROR, told=one_line(error))
        return ApiError(503, NO_MODEL, "model")
    if isinstance(error, UnmuffleError):
        return ApiError(503, one_line(error))
    return ApiError(500, "something went wrong here; the server's log tells more under this request's id")


async def on_error(request: Request, error: Exception) -> JSONResponse:
    """Answer an error that was raised by an endpoint, or for want of one."""
    if not isinstance(error, HTTPException):
        return error_response(as_api_error(error))
    told, kept = as_api_error(error), dict(error.headers or {})
    if told.message in _BARE:
        allowed = f"; it takes {', '.join(sorted(kept['Allow'].split(', ')))}" if "Allow" in kept else ""
        told = ApiError(told.status, f"there is no {request.method} {request.url.path[:100]}{allowed}: see /docs")
    return error_response(told, kept)


_BARE = (HTTPStatus.NOT_FOUND.phrase, HTTPStatus.METHOD_NOT_ALLOWED.phrase)

HANDLERS: Mapping[Any, Any] = {ApiError: on_error, HTTPException: on_error, UnmuffleError: on_error}
"""For ``Starlette(exception_handlers=...)``; what is left over is answered by the middleware."""
