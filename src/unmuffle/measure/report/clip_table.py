"""All rows as data for the page's own table, which filters, sorts and pages them."""

from __future__ import annotations

from math import isfinite
from typing import Any

from unmuffle.measure.catalogue import measure_of
from unmuffle.measure.report.breakdown import condition_title
from unmuffle.measure.report.comparison import sentence
from unmuffle.measure.report.standings import in_catalogue_order
from unmuffle.measure.results import Results


def clip_table(results: Results) -> dict[str, Any]:
    """Return columns, rows, and the places of the rows of which nothing could be measured.

    Values have one digit more than they are shown with; what is not finite is text, and what is missing is null.
    """
    conditions = list(dict.fromkeys(key for row in results for key in row.conditions))
    keys = in_catalogue_order(results.keys)
    measures = [measure_of(key) for key in keys]
    columns: list[dict[str, Any]] = [
        {"title": "Clip", "kind": "text"},
        {"title": "Enhancer", "kind": "choice"},
        *({"title": sentence(condition_title(key)), "kind": _kind(results, key)} for key in conditions),
        {"title": "Length, s", "kind": "number", "decimals": 1},
        *({"title": sentence(measure.title), "kind": "number", "decimals": measure.decimals} for measure in measures),
        {"title": "Why not", "kind": "text"},
    ]
    rows = [
        [
            row.clip,
            row.enhancer,
            *(_number(row.conditions.get(key), 4) for key in conditions),
            _number(row.seconds, 2),
            *(_number(row.values.get(measure.key), measure.decimals + 1) for measure in measures),
            "; ".join(f"{key}: {reason}" for key, reason in row.failures.items()) or None,
        ]
        for row in results
    ]
    return {"columns": columns, "rows": rows, "failed": [place for place, row in enumerate(results) if row.failed]}


def _kind(results: Results, key: str) -> str:
    values = [row.conditions[key] for row in results if key in row.conditions]
    return "choice" if any(isinstance(value, str) for value in values) else "level"


def _number(value: float | str | None, digits: int) -> float | str | None:
    if value is None or isinstance(value, str):
        return value
    return round(float(value), digits) if isfinite(value) else str(float(value))
