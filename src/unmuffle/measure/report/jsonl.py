"""Results as JSON lines: what the run was on the first line, then a line for every clip after every enhancer.

Numbers come back bit for bit. Those that JSON does not know stand as ``{"number": "inf"}``, ``"-inf"`` or ``"nan"``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from unmuffle.errors import AudioFileError
from unmuffle.measure.results import ClipResult, Results
from unmuffle.signal.files.new_file import encoded, new_file

FORMAT = "unmuffle-results"
VERSION = 1


def write_jsonl(results: Results, path: str | os.PathLike[str]) -> None:
    """Write results to a file, whole or not at all; a file that is there already is replaced.

    Raises
    ------
    AudioFileError
        When it cannot be written.
    """
    head = {"format": FORMAT, "version": VERSION, "rows": len(results), "about": dict(results.about)}
    with new_file(path) as file:
        for record in (head, *map(_as_data, results)):
            file.write(encoded(json.dumps(record, ensure_ascii=False, allow_nan=False, default=_plain_number)) + b"\n")


def read_jsonl(path: str | os.PathLike[str]) -> Results:
    """Read what ``write_jsonl`` wrote.

    Raises
    ------
    AudioFileError
        When the file is missing, is something else, or is damaged: the first line that cannot be read is named, and
        so is a file that ends before its last row.
    """
    name = str(path)
    try:
        lines = Path(path).read_bytes().splitlines()
    except OSError as error:
        raise AudioFileError(f"{name} cannot be read: {error.strerror or error}") from error
    head = _head(name, lines)
    rows = list(_rows(name, lines[1:]))
    if len(rows) < head["rows"]:
        raise AudioFileError(
            f"{name} ends at line {len(lines)}, after {len(rows)} of {head['rows']} rows: it was cut short; "
            "copy or write it anew"
        )
    return Results(rows, head["about"])


def _head(name: str, lines: list[bytes]) -> dict[str, Any]:
    try:
        head = json.loads(lines[0]) if lines else None
    except ValueError:
        head = None
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise AudioFileError(f'{name} holds no results: its first line is not {{"format": "{FORMAT}", ...}}')
    if head.get("version") != VERSION:
        raise AudioFileError(
            f"{name} is of version {head.get('version')} and this unmuffle reads version {VERSION}: update unmuffle"
        )
    if not isinstance(head.get("rows"), int) or not isinstance(head.get("about"), dict):
        raise AudioFileError(f"{name}: line 1 is damaged; copy or write the file anew")
    return head


def _rows(name: str, lines: Iterable[bytes]) -> Iterator[ClipResult]:
    for number, line in enumerate(lines, start=2):
        try:
            yield _from_data(json.loads(line))
        except (ValueError, TypeError, KeyError) as error:
            raise AudioFileError(
                f"{name}: line {number} is damaged or cut short ({error}); copy or write the file anew"
            ) from error


def _as_data(row: ClipResult) -> dict[str, Any]:
    return {
        "clip": row.clip,
        "enhancer": row.enhancer,
        "sample_rate": row.sample_rate,
        "seconds": row.seconds,
        "conditions": _stored(row.conditions),
        "values": _stored(row.values),
        "failures": dict(row.failures),
        "files": dict(row.files),
    }


def _from_data(data: dict[str, Any]) -> ClipResult:
    return ClipResult(
        clip=data["clip"],
        enhancer=data["enhancer"],
        sample_rate=data["sample_rate"],
        seconds=data["seconds"],
        values=_restored(data["values"]),
        failures=data["failures"],
        conditions=_restored(data["conditions"]),
        files=data["files"],
    )


def _stored(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value if isinstance(value, str) or isfinite(value) else {"number": str(float(value))}
        for key, value in values.items()
    }


def _restored(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: float(value["number"]) if isinstance(value, dict) else value for key, value in values.items()}


def _plain_number(value: Any) -> Any:
    """Take numpy's numbers, which are what measures often give, for Python's."""
    if not hasattr(value, "item"):
        raise TypeError(f"{type(value).__name__} {value!r} cannot be stored in JSON")
    return value.item()
