"""Results as one table, a row for each clip after each enhancer, for spreadsheets and data frames.

Columns: ``clip``, ``enhancer``, ``sample_rate``, ``seconds``, then ``condition_...``, the measures by their keys,
``failures`` (JSON, by key) and ``file_...``. What is not known of a row is empty.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from unmuffle.measure.extras import REPORT, load_package
from unmuffle.measure.results import ClipResult, Results
from unmuffle.signal.files.new_file import encoded, new_file


@dataclass(frozen=True)
class Column:
    """A column: its name, its type (``str``, ``int`` or ``float``, whatever its values), and its cells."""

    name: str
    kind: type
    cell: Callable[[ClipResult], Any]


def columns(results: Results) -> list[Column]:
    """Return the columns of results.

    A condition is a number where it is one in all rows, and text otherwise; measures are always ``float``.
    """
    return [
        Column("clip", str, lambda row: row.clip),
        Column("enhancer", str, lambda row: row.enhancer),
        Column("sample_rate", int, lambda row: int(row.sample_rate)),
        Column("seconds", float, lambda row: float(row.seconds)),
        *(_condition(results, key) for key in _in_order(row.conditions for row in results)),
        *(_value(key) for key in results.keys),
        Column("failures", str, _failures),
        *(_file(role) for role in _in_order(row.files for row in results)),
    ]


def write_csv(results: Results, path: str | os.PathLike[str]) -> None:
    """Write results as comma-separated values in UTF-8, whole or not at all; numbers keep all their digits.

    Raises
    ------
    AudioFileError
        When it cannot be written.
    """
    table = columns(results)
    with new_file(path) as file:
        file.write(_csv_line(column.name for column in table))
        for row in results:
            file.write(_csv_line(column.cell(row) for column in table))


def write_parquet(results: Results, path: str | os.PathLike[str]) -> None:
    """Write results as Apache Parquet, whole or not at all; what the run was is in its metadata under ``about``.

    Raises
    ------
    MissingExtraError
        Without ``pyarrow``, which is in the extra ``report``.
    AudioFileError
        When it cannot be written.
    """
    arrow, parquet = (load_package(name, REPORT, "this report") for name in ("pyarrow", "pyarrow.parquet"))
    types = {str: arrow.string(), int: arrow.int64(), float: arrow.float64()}
    table = columns(results)
    schema = arrow.schema(
        [(_text(column.name), types[column.kind]) for column in table],
        metadata={b"about": encoded(json.dumps(dict(results.about), ensure_ascii=False))},
    )
    cells = [[_text(column.cell(row)) for row in results] for column in table]
    arrays = [arrow.array(values, field.type) for values, field in zip(cells, schema, strict=True)]
    with new_file(path) as file:
        parquet.write_table(arrow.Table.from_arrays(arrays, schema=schema), file, compression="zstd")


def _in_order(mappings: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(key for mapping in mappings for key in mapping))


def _condition(results: Results, key: str) -> Column:
    kind = str if any(isinstance(row.conditions.get(key), str) for row in results) else float

    def cell(row: ClipResult) -> Any:
        return None if key not in row.conditions else kind(row.conditions[key])

    return Column(f"condition_{key}", kind, cell)


def _value(key: str) -> Column:
    return Column(key, float, lambda row: None if key not in row.values else float(row.values[key]))


def _file(role: str) -> Column:
    return Column(f"file_{role}", str, lambda row: row.files.get(role))


def _failures(row: ClipResult) -> str | None:
    return json.dumps(dict(row.failures), ensure_ascii=False) if row.failures else None


def _csv_line(cells: Iterable[Any]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return encoded(line.getvalue())


def _text(value: Any) -> Any:
    return encoded(value).decode() if isinstance(value, str) else value
