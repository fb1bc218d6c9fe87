"""What was measured over time: a file of JSON lines that only ever grows.

Every entry is one assessment with when and of which version it was made. Writers take a lock and append with one
write, so that several may do so at a time; a line that was cut short, as by a full disk, costs that line only.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from unmuffle._version import __version__
from unmuffle.errors import AudioFileError
from unmuffle.measure.assurance.assessment import QualityAssessment
from unmuffle.signal.files.new_file import encoded


@dataclass(frozen=True)
class HistoryEntry:
    """An assessment of the past.

    Attributes
    ----------
    assessment : QualityAssessment
        What was measured; its ``after.files`` link to the audio.
    time : str
        When, ISO 8601 in UTC.
    version : str
        Version of the enhancer.
    """

    assessment: QualityAssessment
    time: str
    version: str


class QualityHistory:
    """A history in a file.

    Parameters
    ----------
    path : path
        The file; made by the first entry.

    Examples
    --------
    >>> history = QualityHistory("quality.jsonl")              # doctest: +SKIP
    >>> history.append([assessment])                           # doctest: +SKIP
    >>> [entry.time for entry in history.read("log_mmse")]     # doctest: +SKIP
    ['2031-05-02T09:30:00+00:00']
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.damaged: list[str] = []
        """The lines that could not be read when ``read`` was last called, each with its number and why."""

    def append(
        self, assessments: Iterable[QualityAssessment], *, version: str = __version__, time: datetime | None = None
    ) -> None:
        """Add assessments, all or none of them.

        Parameters
        ----------
        assessments : iterable of QualityAssessment
            In any order.
        version : str
            Of the enhancer; the package's own unless given.
        time : datetime, optional
            When they were made; now unless given. One without a zone is taken as local.

        Raises
        ------
        AudioFileError
            If the file cannot be written.
        """
        at = (time or datetime.now(timezone.utc)).astimezone(timezone.utc).isoformat(timespec="seconds")
        records = ({"time": at, "version": version, **item.to_dict()} for item in assessments)
        lines = b"".join(encoded(json.dumps(record, ensure_ascii=False)) + b"\n" for record in records)
        if not lines:
            return
        try:
            _append(self.path, lines)
        except OSError as error:
            raise AudioFileError(f"{self.path} cannot be written: {error.strerror or error}") from error

    def read(self, enhancer: str | None = None, version: str | None = None) -> list[HistoryEntry]:
        """Return the entries in the order they came; those of one enhancer or version alone if named.

        Lines that are damaged are left out and told in ``damaged``.

        Raises
        ------
        AudioFileError
            If the file cannot be read.
        """
        try:
            lines = self.path.read_bytes().split(b"\n")
        except OSError as error:
            raise AudioFileError(f"{self.path} cannot be read: {error.strerror or error}") from error
        self.damaged = []
        return [
            entry
            for entry in self._parsed(lines)
            if enhancer in (None, entry.assessment.enhancer) and version in (None, entry.version)
        ]

    def _parsed(self, lines: list[bytes]) -> Iterator[HistoryEntry]:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield _entry(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                end = ", the last one," if number == len(lines) else ""
                self.damaged.append(f"{self.path}: line {number}{end} is damaged and was left out ({error})")


def _entry(data: dict[str, Any]) -> HistoryEntry:
    datetime.fromisoformat(data["time"])
    return HistoryEntry(QualityAssessment.from_dict(data), data["time"], data["version"])


def _append(path: Path, lines: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+", buffering=0) as file, _locked(file.fileno()):
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(-1, os.SEEK_END)
            # After a line that was cut short, ours begins on a new one.
            lines = lines if file.read(1) == b"\n" else b"\n" + lines
        try:
            _write_all(file.fileno(), lines)
        except OSError:
            file.truncate(size)
            raise


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


@contextlib.contextmanager
def _locked(descriptor: int) -> Iterator[None]:
    """Hold other writers off; where the system has no such lock, the single write has to do."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
