"""Lists with a row a clip, read row by row: CSV with a head line, and JSON lines, compressed or not."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from unmuffle.errors import AudioFileError, InvalidParameterError


def csv_rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file by the names in its head line.

    Raises
    ------
    AudioFileError
        If it cannot be read.
    InvalidParameterError
        If a line has not as many cells as the head line; the message names it.
    """
    with readable(path), path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        for cells in reader:
            if None in cells or None in cells.values():
                raise InvalidParameterError(f"{path}: line {reader.line_num} has not as many cells as the head line")
            yield cells


def json_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file of JSON lines, also one that gzip compressed; empty lines are left out.

    Raises
    ------
    AudioFileError
        If it cannot be read.
    InvalidParameterError
        If a line is no JSON object; the message names it.
    """
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    with readable(path), opened(path, "rb") as file, io.TextIOWrapper(file, encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise InvalidParameterError(f"{path}: line {number} is not JSON: {error}") from error
            if not isinstance(row, dict):
                raise InvalidParameterError(f"{path}: line {number} is not an object of names and values")
            yield row


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what goes wrong in reading a list into one line that names it."""
    try:
        yield
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise AudioFileError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
