"""Reports of files in a cache: what is told again when the file is found there, with the names it has then."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Any

from unmuffle.enhancer.files import FileJob, FileReport
from unmuffle.level.normalization import Normalization, Programme
from unmuffle.process.strength_over_time import StrengthOverTime

_SOURCE, _DESTINATION, _NONE = "source", "destination", ""


def written_report(report: FileReport) -> bytes:
    """Write a report for a cache: names at the beginning of warnings are left open."""
    warnings = [_unnamed(warning, report) for warning in report.warnings]
    names = (report.source, report.destination)
    told = {
        "seconds": report.seconds,
        "sample_rate": report.sample_rate,
        "channels": report.channels,
        "warnings": warnings,
        # A name within a warning cannot be told from a word, so such a warning is for these names alone.
        "only_for": names if any(_has(text, name) for _, text in warnings for name in names) else None,
        "normalization": None if report.normalization is None else asdict(report.normalization),
        "strength_over_time": None if report.strength_over_time is None else asdict(report.strength_over_time),
    }
    return json.dumps(told).encode()


def read_report(data: bytes | None, job: FileJob) -> FileReport | None:
    """Return the report for a job; None where there is none, or it is for other names."""
    if data is None:
        return None
    told = json.loads(data)
    names = {_SOURCE: job.source_name, _DESTINATION: job.destination_name, _NONE: ""}
    if told["only_for"] is not None and told["only_for"] != [job.source_name, job.destination_name]:
        return None
    return FileReport(
        source=job.source_name,
        destination=job.destination_name,
        seconds=told["seconds"],
        elapsed_s=0.0,
        sample_rate=told["sample_rate"],
        channels=told["channels"],
        warnings=tuple(names[which] + text for which, text in told["warnings"]),
        normalization=_normalization(told["normalization"]),
        strength_over_time=_strength(told["strength_over_time"]),
        from_cache=True,
    )


def _unnamed(warning: str, report: FileReport) -> tuple[str, str]:
    """Return whose name a warning begins with, and the rest of it."""
    for which, name in ((_DESTINATION, report.destination), (_SOURCE, report.source)):
        if warning.startswith((f"{name} ", f"{name}:")):
            return which, warning.removeprefix(name)
    return _NONE, warning


def _has(text: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def _normalization(told: dict[str, Any] | None) -> Normalization | None:
    if told is None:
        return None
    return Normalization(**{**told, "before": Programme(**told["before"]), "after": Programme(**told["after"])})


def _strength(told: dict[str, Any] | None) -> StrengthOverTime | None:
    if told is None:
        return None
    points = {name: tuple(told[name]) for name in ("times_s", "strengths")}
    return StrengthOverTime(**{**told, **points})
