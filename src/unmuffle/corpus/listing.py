"""The lists a run leaves beside its results: what is there, what was rejected, what failed and why."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from unmuffle.corpus.clip import Clip
from unmuffle.corpus.journal import Journal
from unmuffle.corpus.sources.cuts import is_cut, with_result
from unmuffle.corpus.sources.manifest import AUDIO_FIELDS, DURATION, OFFSET
from unmuffle.measure.extras import REPORT, load_package
from unmuffle.signal.files.new_file import encoded, new_file

MANIFEST, REJECTED, QUARANTINE = "manifest.jsonl", "rejected.jsonl", "quarantine.jsonl"
OWN = "unmuffle"
"""Field of a row under which stands what was done; its parts are ``unmuffle.*`` where rows are flat."""

Row = dict[str, Any]
Columns = Mapping[str, set[type]]
_PAGE = 1000


def write_lists(journal: Journal, folder: Path, kind: str = "") -> None:
    """Write the manifest and the lists of what is not in it; each appears whole, and anew each time.

    Parameters
    ----------
    journal : Journal
    folder : Path
    kind : str
        ``".csv"`` or ``".parquet"`` for a manifest of that kind beside that of JSON lines.

    Raises
    ------
    AudioFileError
        If the folder cannot be written to.
    """
    for leftover in folder.glob(".unmuffle-*.*"):
        # A run that was killed while it wrote a list.
        leftover.unlink(missing_ok=True)
    _write_lines(folder / MANIFEST, rows(journal, rejected=False))
    _write_lines(folder / REJECTED, rows(journal, rejected=True))
    _write_lines(folder / QUARANTINE, _failed_rows(journal))
    write_table = {".csv": _write_csv, ".parquet": _write_parquet}.get(kind)
    if write_table is not None:
        columns: dict[str, set[type]] = {}
        for row in rows(journal, rejected=False):
            for name, value in _flat(row).items():
                columns.setdefault(name, set()).add(type(value))
        write_table((folder / MANIFEST).with_suffix(kind), columns, map(_flat, rows(journal, rejected=False)))


def rows(journal: Journal, *, rejected: bool) -> Iterator[Row]:
    """Yield a row a clip: what its source said of it, with the path of the result and what was done.

    ``audio_filepath`` or whatever name it has there is the path of the result, relative to the destination;
    ``duration`` is its length.
    """
    settings = settings_told(journal)
    for clip, record in journal.done():
        if (record["verdict"] == "rejected") is rejected:
            yield row_of(clip, record, settings)


def row_of(clip: Clip, record: Row, settings: Row) -> Row:
    """Return the row of a clip that is done, with what is told of the run's settings."""
    fields = clip.fields if record["verdict"] == "rejected" else _fields(clip, record)
    return _row(clip, fields, {"source": clip.source, "span_s": clip.span_s, "settings": settings} | record)


def _fields(clip: Clip, record: Row) -> Row:
    """Return what the source told of a clip, as it is true of the result."""
    seconds = record["duration_s"]
    if is_cut(clip.fields):
        return with_result(clip.fields, clip.output, seconds, record["sample_rate"])
    name = next((key for key in AUDIO_FIELDS if clip.fields.get(key)), AUDIO_FIELDS[0])
    # The span was cut out: in the result it starts at 0.
    kept = {key: value for key, value in clip.fields.items() if key != OFFSET}
    return {**kept, name: clip.output, DURATION: seconds}


def settings_told(journal: Journal) -> Row:
    """Return what each row tells of the settings of the run."""
    settings = journal.settings
    return {name: settings.get(name) for name in ("version", "preset", "method", "model_name", "model_sha256")}


def _failed_rows(journal: Journal) -> Iterator[Row]:
    for clip, cause, message in journal.failed():
        yield _row(clip, clip.fields, {"source": clip.source, "cause": cause, "message": message})


def _row(clip: Clip, fields: Mapping[str, Any], told: Row) -> Row:
    if is_cut(fields):
        # Lhotse takes what it does not know under this name alone.
        return {"id": clip.key, **fields, "custom": {**(fields.get("custom") or {}), OWN: told}}
    return {"id": clip.key, **fields, OWN: told}


def _write_lines(path: Path, found: Iterable[Row]) -> None:
    with new_file(path) as stream:
        for row in found:
            # Names that are no UTF-8 have their bytes as JSON's own escapes.
            stream.write(encoded(json.dumps(row, ensure_ascii=False) + "\n"))


def _write_csv(path: Path, columns: Columns, found: Iterable[Row]) -> None:
    with new_file(path) as stream, io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True) as file:
        file.reconfigure(errors="backslashreplace")
        table = csv.DictWriter(file, list(columns))
        table.writeheader()
        table.writerows(found)


def _write_parquet(path: Path, columns: Columns, found: Iterator[Row]) -> None:
    arrow = load_package("pyarrow", REPORT, "a manifest in Parquet")
    parquet = load_package("pyarrow.parquet", REPORT, "a manifest in Parquet")
    numbers = {bool: arrow.bool_(), int: arrow.int64(), float: arrow.float64()}
    kinds = {name: _kind(types) for name, types in columns.items()}
    schema = arrow.schema([(name, numbers.get(kind, arrow.string())) for name, kind in kinds.items()])
    with new_file(path) as stream, parquet.ParquetWriter(stream, schema) as table:
        while page := list(islice(found, _PAGE)):
            whole = [{name: _as(kind, row.get(name)) for name, kind in kinds.items()} for row in page]
            table.write_table(arrow.Table.from_pylist(whole, schema))


def _kind(types: set[type]) -> type:
    """Return the one kind that values of several are told as."""
    real = types - {type(None)}
    if real == {int, float}:
        return float
    return real.pop() if len(real) == 1 else str


def _as(kind: type, value: Any) -> Any:
    if value is None or kind is not str:
        return value
    return encoded(str(value)).decode()


def _flat(row: Row, under: str = "") -> Row:
    """Return a row without mappings in it, their names joined with dots; lists become JSON."""
    flat: Row = {}
    for key, value in row.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{under}{key}.")
        else:
            flat[f"{under}{key}"] = json.dumps(value) if isinstance(value, list | tuple) else value
    return flat
