"""What /openapi.json tells of all endpoints that take files."""

from __future__ import annotations

from typing import Any

from unmuffle.serve.file_answer import CACHE, CHAIN, WARNINGS
from unmuffle.serve.file_parameters import FORMATS

BINARY: dict[str, Any] = {"type": "string", "format": "binary"}


def form_of(required: list[str], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the description of a form with files."""
    properties = dict.fromkeys((*required, *optional), BINARY)
    return {"multipart/form-data": {"schema": {"type": "object", "properties": properties, "required": required}}}


FILE_BODY: dict[str, Any] = {
    "required": True,
    "description": "An audio or video file of any kind: as the body itself, or as the part `file` of a form",
    "content": {"application/octet-stream": {"schema": BINARY}, **form_of(["file"])},
}

FILE_ERRORS: dict[str, Any] = {
    "400": {"description": "There is no file, or the form cannot be read"},
    "413": {"description": "It is too large or too long"},
    "415": {"description": "It is not audio"},
    "422": {"description": "A parameter does not fit, or the file is damaged or costs too much"},
    "429": {"description": "Too much at once; Retry-After tells when to come again"},
    "503": {"description": "It cannot be done now; Retry-After tells when to come again"},
    "507": {"description": "The server's disk is full"},
}


RESULT_HEADERS: dict[str, Any] = {
    WARNINGS: {"description": "What could not be kept, a list in JSON", "schema": {"type": "string"}},
    CACHE: {"description": "Whether the cache had it, where there is one", "schema": {"enum": ["hit", "miss"]}},
    CHAIN: {
        "description": "With preset=auto, what was chosen for the file; empty where nothing was wrong with it",
        "schema": {"type": "string"},
    },
}


def query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    """Return the description of a parameter of the query."""
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


OPTIONS: list[dict[str, Any]] = [
    query(
        "preset",
        {"type": "string"},
        "One of /v1/presets, or auto: a chain by what is wrong with the file; the denoiser alone without it",
    ),
    query(
        "strength",
        {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"const": "auto"}]},
        "How much of the effect is heard, 0 to 1, or auto",
    ),
    query("method", {"type": "string"}, "A method of `unmuffle methods`, instead of the network"),
    query("format", {"enum": list(FORMATS)}, "Of the result; wav unless given; original keeps a video's picture"),
    query("keep", {"enum": ["music"]}, "Let music and singing pass as they are"),
]
