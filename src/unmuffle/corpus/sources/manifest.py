"""Lists of clips with what is known of each: JSON lines (as NeMo and Lhotse write them), CSV, Parquet; row by row."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path, PurePosixPath
from typing import Any

from unmuffle.corpus.clip import Clip, inner_path, safe_name
from unmuffle.corpus.remote import is_url, url_stamp
from unmuffle.corpus.sources.cuts import cut_audio, is_cut
from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.measure.extras import REPORT, load_package
from unmuffle.signal.files.row_files import csv_rows, json_rows, readable

MANIFEST_SUFFIXES = (".jsonl", ".jsonl.gz", ".ndjson", ".csv", ".parquet")
AUDIO_FIELDS = ("audio_filepath", "audio_path", "path", "file", "audio", "wav", "noisy")
"""Names under which the path of the audio may stand; the first that a row has."""
OFFSET, DURATION, KEY = "offset", "duration", "id"
_ROWS = 1024

Row = dict[str, Any]


def manifest_clips(path: Path, suffix: str | None) -> Iterator[Clip]:
    """Yield the clips of a manifest, in its order; relative paths start at its folder.

    A row with an ``offset`` is the span of ``duration`` seconds from there on. A row's name is its ``id``, or else the
    path of its audio with the span.
    """
    base = path.parent.absolute()
    for number, row in enumerate(_rows(path), start=1):
        audio, span_s = _audio(row, f"{path}: row {number}")
        place = PurePosixPath(audio.partition("://")[2]) if is_url(audio) else inner_path(audio, base)
        result = safe_name(place, suffix)
        named = str(place)
        if span_s is not None:
            result = _of_span(result, span_s[0])
            named += f" {span_s[0]!r} to {span_s[1]!r} s"
        key = named if row.get(KEY) in (None, "") else str(row[KEY])
        source = audio if is_url(audio) else os.path.normpath(base / audio)
        stamp = url_stamp(audio) if is_url(audio) else ""
        yield Clip(key, source, result, row, span_s, stamp=stamp)


def is_manifest(path: Path) -> bool:
    """Return whether a name is that of a manifest."""
    return path.name.lower().endswith(MANIFEST_SUFFIXES)


def _audio(row: Row, place: str) -> tuple[str, tuple[float, float] | None]:
    if is_cut(row):
        return cut_audio(row, place)
    name = next((key for key in AUDIO_FIELDS if row.get(key)), None)
    if name is None:
        raise InvalidParameterError(f"{place} names no audio: it needs one of {', '.join(AUDIO_FIELDS)}")
    return str(row[name]), _span_s(row, place)


def _of_span(result: str, start_s: float) -> str:
    """Return the name of the result of a part of a file."""
    path = PurePosixPath(result)
    return safe_name(path.with_name(f"{path.stem}_{round(1e3 * start_s):09d}ms{path.suffix}"))


def _span_s(row: Mapping[str, Any], place: str) -> tuple[float, float] | None:
    start_s = _number(row, OFFSET, place)
    if start_s is None:
        return None
    seconds = _number(row, DURATION, place)
    if not seconds:
        raise InvalidParameterError(f"{place} has an {OFFSET} of {start_s:g} s: it needs a {DURATION} above 0 as well")
    return start_s, start_s + seconds


def _number(row: Mapping[str, Any], name: str, place: str) -> float | None:
    told = row.get(name)
    if told is None or told == "":
        return None
    try:
        value = float(told)
    except (TypeError, ValueError):
        value = -1.0
    if not (isfinite(value) and value >= 0.0):
        raise InvalidParameterError(f"{place}: {name} is {told!r}; it must be seconds, 0 or more")
    return value


def _rows(path: Path) -> Iterator[Row]:
    rows = {".parquet": _parquet_rows, ".csv": csv_rows}.get(path.suffix.lower(), json_rows)
    yield from rows(path)


def _parquet_rows(path: Path) -> Iterator[Row]:
    parquet = load_package("pyarrow.parquet", REPORT, "a manifest in Parquet")
    arrow = load_package("pyarrow", REPORT, "a manifest in Parquet")
    try:
        with readable(path), parquet.ParquetFile(path) as table:
            for batch in table.iter_batches(_ROWS):
                yield from batch.to_pylist()
    except arrow.ArrowInvalid as error:
        raise AudioFileError(f"{path} is no Parquet file: {error}") from error
