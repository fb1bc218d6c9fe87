"""The text messages of /v1/stream: what they may say, and what is told of those that say something else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from unmuffle.serve.errors_http import ApiError
from unmuffle.serve.parameters import number_in, only_known, preset_in
from unmuffle.serve.pcm import FORMATS

MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 192_000
MAX_CHANNELS = 8
MAX_MESSAGE_S = 10.0
MAX_MESSAGE_BYTES = 1 << 24
MAX_TEXT_CHARACTERS = 4096

NORMAL, UNKNOWN_DATA, POLICY, TOO_BIG, INTERNAL, RESTART, TRY_LATER = 1000, 1003, 1008, 1009, 1011, 1012, 1013
"""Close codes of RFC 6455, section 7.4.1, and of the registry that goes with it."""

_CLOSE_CODES = {401: POLICY, 403: POLICY, 408: POLICY, 413: TOO_BIG, 422: UNKNOWN_DATA, 429: TRY_LATER, 503: TRY_LATER}


@dataclass(frozen=True)
class Hello:
    """What a client wants.

    Attributes
    ----------
    sample_rate, channels : int
    format : str
        "s16le" or "f32le".
    preset : str or None
    strength : float
    key : str or None
    """

    sample_rate: int
    channels: int = 1
    format: str = "s16le"
    preset: str | None = None
    strength: float = 1.0
    key: str | None = None

    @property
    def max_message_bytes(self) -> int:
        """How large one message of samples may be."""
        ten_seconds = round(MAX_MESSAGE_S * self.sample_rate) * self.channels * FORMATS[self.format].itemsize
        return min(MAX_MESSAGE_BYTES, ten_seconds)


def read_message(text: str) -> dict[str, Any]:
    """Return a text message, which is a JSON object with a type.

    Raises
    ------
    ApiError
        422 if it is anything else.
    """
    if len(text) > MAX_TEXT_CHARACTERS:
        raise ApiError(413, f"a text message has at most {MAX_TEXT_CHARACTERS} characters")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise ApiError(422, "a text message must be JSON", "not_json") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise ApiError(422, 'a text message must be an object with a "type"', "no_type")
    return message


def read_hello(text: str) -> Hello:
    """Return what the first message of a stream wants.

    Raises
    ------
    ApiError
        422 if it is no hello, or wants what there is not.
    """
    return hello_of(read_message(text))


def hello_of(message: dict[str, Any]) -> Hello:
    """Return what a message wants that has been read.

    Raises
    ------
    ApiError
        422 if it is no hello, or wants what there is not.
    """
    if message["type"] != "hello":
        raise ApiError(422, 'the first message must be {"type": "hello", "sample_rate": ...}', "no_hello")
    only_known(message, ("type", "sample_rate", "channels", "format", "preset", "strength", "key"))
    wanted = message.get("format", "s16le")
    if not isinstance(wanted, str) or wanted not in FORMATS:
        raise ApiError(422, f"the format is {str(wanted)[:50]!r}; it must be one of {', '.join(FORMATS)}")
    return Hello(
        sample_rate=_whole(message.get("sample_rate"), "sample_rate", MIN_RATE_HZ, MAX_RATE_HZ),
        channels=_whole(message.get("channels", 1), "channels", 1, MAX_CHANNELS),
        format=wanted,
        preset=preset_in(_text(message, "preset")),
        strength=strength_in(message.get("strength", 1.0)),
        key=_text(message, "key"),
    )


def strength_in(given: object) -> float:
    """Return a strength from 0 to 1.

    Raises
    ------
    ApiError
        422 if it is none.
    """
    return number_in(given, "strength", 0.0, 1.0)


def error_message(error: ApiError) -> dict[str, Any]:
    """Return the message that tells of an error."""
    told: dict[str, Any] = {"type": "error", "code": error.code, "message": error.message}
    return told | ({} if error.retry_after_s is None else {"retry_after_s": round(error.retry_after_s, 3)})


def close_code(error: ApiError) -> int:
    """Return the code with which a stream is closed after an error."""
    return _CLOSE_CODES.get(error.status, INTERNAL)


def _whole(given: object, name: str, least: int, most: int) -> int:
    value = number_in(given, name, least, most)
    if value != int(value):
        raise ApiError(422, f"{name} is {value}; it must be a whole number")
    return int(value)


def _text(message: dict[str, Any], name: str) -> str | None:
    value = message.get(name)
    if value is not None and not isinstance(value, str):
        raise ApiError(422, f"{name} must be text or null")
    return value
