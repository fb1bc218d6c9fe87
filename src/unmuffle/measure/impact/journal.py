"""Trials on disk as they are made, so that a run which was interrupted goes on where it was."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.impact.trials import Key, Trial

_LONGEST = 60


class TrialStore:
    """Trials of this run only; what a ``Journal`` is without a file."""

    def __init__(self) -> None:
        self.trials: dict[Key, Trial] = {}

    def __enter__(self) -> TrialStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def add(self, trial: Trial) -> None:
        """Keep a trial."""
        self.trials[trial.key] = trial

    def done(self, key: Key) -> bool:
        """Whether there is such a trial and it did not fail."""
        found = self.trials.get(key)
        return found is not None and found.error is None


class Journal(TrialStore):
    """A file of JSON lines: at the start of each run what its trials hang on, then a trial a line.

    Parameters
    ----------
    path : Path
        Made if it is not there.
    settings : mapping
        What must be the same for its trials to be of use: recogniser, embedder, seed, rate, clips, noises.

    Raises
    ------
    InvalidParameterError
        If it is of another run, or no journal.
    """

    def __init__(self, path: Path, settings: Mapping[str, object]) -> None:
        super().__init__()
        self._path = path
        self._settings = dict(settings)
        if path.is_file() and path.stat().st_size:
            self.trials = self._read()

    def __enter__(self) -> Journal:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = not self._path.exists() or not self._path.stat().st_size
        self._file = self._path.open("a", encoding="utf-8")
        if not fresh:
            self._end_last_line()
        self._write({"settings": self._settings})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, trial: Trial) -> None:
        """Write a trial, so that it is there whatever happens to this process."""
        super().add(trial)
        self._write(asdict(trial))

    def _write(self, data: Mapping[str, object]) -> None:
        self._file.write(json.dumps(data, ensure_ascii=False) + "\n")
        self._file.flush()

    def _end_last_line(self) -> None:
        if not self._path.read_bytes().endswith(b"\n"):
            self._file.write("\n")

    def _read(self) -> dict[Key, Trial]:
        lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines()
        head = _parsed(lines[0])
        if head is None or "settings" not in head:
            raise InvalidParameterError(f"{self._path} is no journal of an impact run: give another file")
        # The last line may be half of one.
        found = [line for line in map(_parsed, lines) if line is not None]
        for line in found:
            if "settings" in line:
                self._compare(line["settings"])
        trials = [Trial(**line) for line in found if "settings" not in line]
        return {trial.key: trial for trial in trials}

    def _compare(self, before: Mapping[str, Any]) -> None:
        """Check that what was is what is; of what has names, such as noises, there may be more or less."""
        for name, value in self._settings.items():
            was = before.get(name)
            if isinstance(was, dict) and isinstance(value, dict):
                for key in was.keys() & value.keys():
                    self._compare_one(f"{name} {key}", was[key], value[key])
            else:
                self._compare_one(name, was, value)

    def _compare_one(self, what: str, before: object, now: object) -> None:
        if before != now:
            raise InvalidParameterError(
                f"{self._path} is of another run ({what} was {_short(before)} and is {_short(now)}): "
                "give another file, or remove it"
            )


def open_journal(path: str | os.PathLike[str] | None, settings: Mapping[str, object]) -> TrialStore:
    """Return a store of trials, in a file if a path is given."""
    return TrialStore() if path is None else Journal(Path(path), settings)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
