"""What is measured already, on disk: a run that was interrupted goes on where it stopped.

JSON lines, one for each row, under a key that hangs on the clip's audio, the enhancer with its version and the measures
with theirs: what was measured in another way is measured anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO

from unmuffle.errors import AudioFileError
from unmuffle.measure.evaluation.clips import Clip
from unmuffle.measure.results import ClipResult
from unmuffle.measure.scores import Measure
from unmuffle.signal.files.targets import told_as

HEAD = {"format": "unmuffle-journal", "version": 1}


def row_key(clip_mark: str, enhancer: str, version: str, measures_mark: str, *settings: object) -> str:
    """Return what tells a row from any that was measured of other audio or in another way."""
    parts = [clip_mark, enhancer, version, measures_mark, *map(str, settings)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def mark_of_measures(measures: Iterable[Measure]) -> str:
    """Return what tells measures from others, and from those of another version."""
    return "; ".join(sorted(f"{measure.key} {measure.implementation}" for measure in measures))


def mark_of(clip: Clip) -> str:
    """Return what tells a clip from others, and from itself before its files changed."""
    return f"{clip.name} {clip.fingerprint()} {sorted(clip.conditions.items())}"


class Journal:
    """The rows of a run as they come; a context manager.

    Parameters
    ----------
    path : path or None
        Made if it is not there, read and added to if it is; None keeps nothing.

    Raises
    ------
    AudioFileError
        If the file cannot be read or written, or is something else.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self._path = None if path is None else Path(path)
        self._rows = {} if self._path is None else _read(self._path)
        self._file: IO[str] | None = None

    def get(self, key: str) -> ClipResult | None:
        """Return a row that is measured already."""
        return self._rows.get(key)

    def add(self, key: str, row: ClipResult) -> None:
        """Keep a row; one of a clip that failed is left out, so that it is tried again."""
        if self._file is None or "clip" in row.failures:
            return
        self._file.write(json.dumps({"key": key, "row": asdict(row)}, default=float) + "\n")
        self._file.flush()

    def __enter__(self) -> Journal:
        if self._path is not None:
            with told_as(str(self._path)):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                whole = not self._path.exists() or self._path.stat().st_size == 0
                self._file = self._path.open("a", encoding="utf-8")
                # A line that was cut short must not run into the next one.
                self._file.write(json.dumps(HEAD) + "\n" if whole else "\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()


def _read(path: Path) -> dict[str, ClipResult]:
    if not path.exists() or path.stat().st_size == 0:
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        is_journal = json.loads(lines[0]) == HEAD
    except (OSError, ValueError) as error:
        raise _no_journal(path) from error
    if not is_journal:
        raise _no_journal(path)
    rows: dict[str, ClipResult] = {}
    for line in lines[1:]:
        # The last line of a run that was killed may have been cut short.
        with contextlib.suppress(ValueError, KeyError, TypeError):
            data = json.loads(line)
            rows[data["key"]] = ClipResult(**data["row"])
    return rows


def _no_journal(path: Path) -> AudioFileError:
    return AudioFileError(f"{path} is no journal of an evaluation: give a name that is free")
