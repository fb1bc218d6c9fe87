"""Rows of a Lhotse cut set, as its ``cuts.jsonl.gz`` holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unmuffle.errors import InvalidParameterError

RECORDING = "recording"


def is_cut(row: Mapping[str, Any]) -> bool:
    """Return whether a row is a cut rather than a row of any other manifest."""
    return isinstance(row.get(RECORDING), Mapping) or str(row.get("type", "")).endswith("Cut")


def cut_audio(row: Mapping[str, Any], place: str) -> tuple[str, tuple[float, float] | None]:
    """Return the path of a cut's audio, and its span in seconds; None for a whole recording.

    Raises
    ------
    InvalidParameterError
        If it is not a part of one recording in one file, with all its channels.
    """
    recording = row.get(RECORDING)
    if not isinstance(recording, Mapping) or len(recording.get("sources", ())) != 1:
        raise InvalidParameterError(f"{place} is no cut of one recording: save mixed cuts as audio first")
    (source,) = recording["sources"]
    if source.get("type") not in ("file", "url"):
        raise InvalidParameterError(f"{place} has its audio in {source.get('type')!r}; it must be a file or a URL")
    start_s, seconds = float(row.get("start", 0.0)), float(row.get("duration") or recording["duration"])
    whole = start_s == 0.0 and seconds >= float(recording["duration"]) - 1e-6
    return str(source["source"]), None if whole else (start_s, start_s + seconds)


def with_result(row: Mapping[str, Any], output: str, seconds: float, sample_rate: int) -> dict[str, Any]:
    """Return the row of a cut whose audio is the result: a whole recording of its own."""
    recording = dict(row[RECORDING])
    (source,) = recording["sources"]
    recording |= {
        "id": str(row.get("id", recording.get("id"))),
        "sources": [{**source, "type": "file", "source": output}],
        "sampling_rate": sample_rate,
        "num_samples": round(seconds * sample_rate),
        "duration": seconds,
    }
    return {**row, "start": 0.0, "duration": seconds, RECORDING: recording}
