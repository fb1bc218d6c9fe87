"""Lists of clips: CSV with a head line, or JSON lines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.evaluation.clips import ClipPair
from unmuffle.measure.results import Condition
from unmuffle.signal.files.row_files import csv_rows, json_rows

MANIFEST_SUFFIXES = (".csv", ".jsonl", ".ndjson")
NOT_CONDITIONS = frozenset({"id", "noisy", "clean", "rate", "sample_rate", "seconds", "seed", "index", "mix"})
"""Columns that tell of the files or of how they were made, not of what is to be heard."""

_TEXTS = frozenset({"id", "noisy", "clean", "noise", "talker", "text", "speech_start_s"})
"""Columns of names, which may be made of digits, and of what may be several numbers."""

Row = dict[str, Condition]


def read_rows(path: Path) -> list[Row]:
    """Read a CSV or JSON-lines file; empty cells are left out, and what reads as a number is one.

    Raises
    ------
    AudioFileError
        If it cannot be read.
    InvalidParameterError
        If a line is not what it should be; the message names it.
    """
    if path.suffix.lower() not in MANIFEST_SUFFIXES:
        raise InvalidParameterError(
            f"{path} is no manifest: give a folder, or a file of {', '.join(MANIFEST_SUFFIXES)}"
        )
    return list(map(_csv_row, csv_rows(path)) if path.suffix.lower() == ".csv" else map(_json_row, json_rows(path)))


def read_manifest(path: Path) -> list[ClipPair]:
    """Return the clips of a manifest, in its order.

    Columns: ``noisy``; ``clean`` where there is a reference; ``id``, or the name of the noisy file is taken; all others
    are conditions. Paths are relative to the manifest.

    Raises
    ------
    AudioFileError
        If it cannot be read.
    InvalidParameterError
        If a line has no ``noisy``.
    """
    pairs = []
    for number, row in enumerate(read_rows(path), start=1):
        if "noisy" not in row:
            raise InvalidParameterError(f"{path}: entry {number} has no path under 'noisy'")
        noisy = path.parent / str(row["noisy"])
        clean = path.parent / str(row["clean"]) if "clean" in row else None
        pairs.append(ClipPair(str(row.get("id", noisy.stem)), noisy, clean, conditions_of(row)))
    return pairs


def conditions_of(row: Mapping[str, Condition]) -> Row:
    """Return what a row tells of the sound."""
    return {key: value for key, value in row.items() if key not in NOT_CONDITIONS}


def _csv_row(cells: Mapping[str, str]) -> Row:
    return {
        key: value if key in _TEXTS or key.endswith("_file") else _number(value)
        for key, value in cells.items()
        if value
    }


def _json_row(row: Mapping[str, Any]) -> Row:
    return {
        key: value if isinstance(value, float | int) and not isinstance(value, bool) else str(value)
        for key, value in row.items()
        if value not in (None, "")
    }


def _number(text: str) -> Condition:
    try:
        return float(text)
    except ValueError:
        return text
