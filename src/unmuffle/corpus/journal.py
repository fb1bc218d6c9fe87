"""What is done and what is left of a run over a corpus, in SQLite: a run may be killed at any time and goes on.

One process writes: that of the run. What it has noted as done is in place as a whole file; a clip that was at work when
the run was killed is not noted, and is done again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Literal, TypeAlias

from unmuffle.corpus.clip import Clip, Member
from unmuffle.errors import AudioFileError, InvalidParameterError

State: TypeAlias = Literal["todo", "done", "failed", "gone"]

FORMAT = 1
_PAGE = 1000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS clips (
    key TEXT PRIMARY KEY, position INTEGER NOT NULL, source TEXT NOT NULL, output TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE, fields TEXT NOT NULL, part TEXT NOT NULL, stamp TEXT NOT NULL,
    mark TEXT NOT NULL, planned INTEGER NOT NULL, state TEXT NOT NULL,
    cause TEXT, message TEXT, record TEXT, seconds REAL, finished REAL
);
CREATE INDEX IF NOT EXISTS by_state ON clips (state, position);
"""
_CLIP = "key, source, output, fields, part, stamp"
_INSERT = """
INSERT INTO clips (key, position, source, output, folded, fields, part, stamp, mark, planned, state)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'todo')
"""
_UPDATE = """
UPDATE clips SET position = ?, source = ?, fields = ?, part = ?, stamp = ?, mark = ?, planned = ?, state = ?
WHERE key = ?
"""


class Journal:
    """The journal of a destination; a context manager that lets no second run in.

    Parameters
    ----------
    path : Path
        Made with its folder if it is not there.
    writes : bool, default True
        Whether this is a run, of which there can be one at a time, or somebody who looks.

    Raises
    ------
    AudioFileError
        If it cannot be read or written, or is something else.
    InvalidParameterError
        If another run is at work on it.
    """

    def __init__(self, path: Path, *, writes: bool = True) -> None:
        if not writes and not path.exists():
            raise AudioFileError(f"{path.parent.parent} holds no corpus run: name the folder that a run wrote to")
        self.path = path
        self._writes = writes

    def __enter__(self) -> Journal:
        with contextlib.ExitStack() as stack:
            if self._writes:
                with _told(self.path):
                    self.path.parent.mkdir(parents=True, exist_ok=True)
                stack.callback(_alone(self.path).close)
            with _told(self.path):
                self._db = sqlite3.connect(self.path, isolation_level=None, timeout=30.0)
                stack.callback(self._db.close)
                if self._writes:
                    self._db.execute("PRAGMA journal_mode = WAL")
                    self._db.execute("PRAGMA synchronous = NORMAL")
                    self._db.executescript(_SCHEMA)
                    self._db.execute("INSERT OR IGNORE INTO settings VALUES ('format', ?)", (str(FORMAT),))
                self._check_format()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        if isinstance(error, sqlite3.Error):
            raise AudioFileError(f"the journal {self.path} cannot be used: {error}") from error

    @property
    def settings(self) -> dict[str, Any]:
        """What the run was begun with; empty before."""
        found = self._db.execute("SELECT value FROM settings WHERE name = 'run'").fetchone()
        return {} if found is None else dict(json.loads(found[0]))

    @settings.setter
    def settings(self, told: Mapping[str, Any]) -> None:
        self._db.execute("INSERT OR REPLACE INTO settings VALUES ('run', ?)", (json.dumps(told, sort_keys=True),))

    def plan(self, clips: Iterable[Clip]) -> None:
        """Take in what the corpus holds now.

        Clips that are new, or whose audio has changed, are to be done; those that are no longer in it are gone, and
        their results left. Where two results would have one name, on whatever file system, the later one is marked.

        Raises
        ------
        InvalidParameterError
            If two clips have one key.
        """
        (last,) = self._db.execute("SELECT COALESCE(MAX(planned), 0) FROM clips").fetchone()
        numbered = enumerate(clips)
        while page := list(islice(numbered, _PAGE)):
            with self._transaction():
                for position, clip in page:
                    self._plan_one(clip, position, last + 1)
        with self._transaction():
            self._db.execute("UPDATE clips SET state = 'gone' WHERE planned <= ?", (last,))

    def clear(self) -> None:
        """Forget every clip, so that a new plan has all of them done."""
        self._db.execute("DELETE FROM clips")

    def redo(self, *states: State) -> int:
        """Have clips of these states done again, and return how many."""
        marks = ", ".join("?" * len(states))
        return self._db.execute(f"UPDATE clips SET state = 'todo' WHERE state IN ({marks})", states).rowcount  # noqa: S608 (marks only)

    def redo_clip(self, key: str) -> None:
        """Have one clip done again."""
        self._db.execute("UPDATE clips SET state = 'todo' WHERE key = ?", (key,))

    def todo(self) -> Iterator[Clip]:
        """Yield what is to be done, in the order of the corpus."""
        place = -1
        query = f"SELECT position, {_CLIP} FROM clips WHERE state = 'todo' AND position > ? ORDER BY position LIMIT ?"  # noqa: S608 (columns only)
        while page := self._db.execute(query, (place, _PAGE)).fetchall():
            yield from (_clip(row) for _, *row in page)
            place = page[-1][0]

    def finish(self, key: str, record: Mapping[str, Any], seconds: float) -> None:
        """Note that a clip is done, with what is to be told of it and its length."""
        self._db.execute(
            "UPDATE clips SET state = 'done', cause = NULL, message = NULL, record = ?, seconds = ?, finished = ? "
            "WHERE key = ?",
            (json.dumps(record), seconds, time.time(), key),
        )

    def fail(self, key: str, cause: str, message: str) -> None:
        """Note that a clip cannot be done, with the kind of fault and the message."""
        self._db.execute(
            "UPDATE clips SET state = 'failed', cause = ?, message = ?, record = NULL, finished = ? WHERE key = ?",
            (cause, message, time.time(), key),
        )

    def counts(self) -> dict[State, int]:
        """Return how many clips are in each state."""
        return dict(self._db.execute("SELECT state, COUNT(*) FROM clips GROUP BY state"))

    def failures(self) -> dict[str, int]:
        """Return how many clips failed for each kind of fault."""
        return dict(self._db.execute("SELECT cause, COUNT(*) FROM clips WHERE state = 'failed' GROUP BY cause"))

    def failed(self) -> Iterator[tuple[Clip, str, str]]:
        """Yield clips that failed with the kind of fault and the message."""
        query = f"SELECT {_CLIP}, cause, message FROM clips WHERE state = 'failed' ORDER BY position"  # noqa: S608 (columns only)
        for *row, cause, message in self._db.execute(query):
            yield _clip(row), cause, message

    def done(self) -> Iterator[tuple[Clip, dict[str, Any]]]:
        """Yield clips that are done with what is to be told of them, in the order of the corpus."""
        query = f"SELECT {_CLIP}, record FROM clips WHERE state = 'done' ORDER BY position"  # noqa: S608 (columns only)
        for *row, record in self._db.execute(query):
            yield _clip(row), json.loads(record)

    def pace(self, over_s: float) -> tuple[int, float, float]:
        """Return clips and seconds of audio done within a time that ends with the latest, and that time in seconds."""
        (latest,) = self._db.execute("SELECT COALESCE(MAX(finished), 0) FROM clips WHERE state = 'done'").fetchone()
        clips, seconds, first = self._db.execute(
            "SELECT COUNT(*), COALESCE(SUM(seconds), 0), COALESCE(MIN(finished), 0) FROM clips "
            "WHERE state = 'done' AND finished > ?",
            (latest - over_s,),
        ).fetchone()
        return clips, seconds, latest - first

    def seconds(self) -> float:
        """Return the length of all that is done."""
        return float(self._db.execute("SELECT COALESCE(SUM(seconds), 0) FROM clips WHERE state = 'done'").fetchone()[0])

    def _plan_one(self, clip: Clip, position: int, planned: int) -> None:
        fields, mark = json.dumps(dict(clip.fields), default=str), clip.mark
        there = self._db.execute("SELECT planned, source, mark, state FROM clips WHERE key = ?", (clip.key,)).fetchone()
        if there is None:
            output = self._free_name(clip)
            named = (clip.key, position, clip.source, output, output.casefold(), fields)
            self._db.execute(_INSERT, (*named, _part(clip), clip.stamp, mark, planned))
            return
        before, source, old_mark, state = there
        if before == planned:
            raise InvalidParameterError(
                f"{source} and {clip.source} are both called {clip.key!r} in the corpus: give each an id of its own"
            )
        same = (source, old_mark) == (clip.source, mark) and state != "gone"
        row = (position, clip.source, fields, _part(clip), clip.stamp, mark, planned)
        self._db.execute(_UPDATE, (*row, state if same else "todo", clip.key))

    def _free_name(self, clip: Clip) -> str:
        taken = self._db.execute("SELECT 1 FROM clips WHERE folded = ?", (clip.output.casefold(),)).fetchone()
        if taken is None:
            return clip.output
        path = PurePosixPath(clip.output)
        mark = hashlib.sha256(clip.key.encode()).hexdigest()[:12]
        return str(path.with_name(f"{path.stem}~{mark}{path.suffix}"))

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _check_format(self) -> None:
        found = self._db.execute("SELECT value FROM settings WHERE name = 'format'").fetchone()
        if found is None or found[0] != str(FORMAT):
            raise AudioFileError(f"{self.path} is of another version of unmuffle: give another destination")


def _clip(row: Any) -> Clip:
    key, source, output, fields, part, stamp = row
    span_s, member = json.loads(part)
    return Clip(
        key,
        source,
        output,
        json.loads(fields),
        None if span_s is None else tuple(span_s),
        None if member is None else Member(*member),
        stamp,
    )


def _part(clip: Clip) -> str:
    """Return as text which part of its source a clip is."""
    return json.dumps([clip.span_s, clip.member])


def _alone(path: Path) -> sqlite3.Connection:
    """Hold a lock that ends with this process, however it ends."""
    with _told(path):
        lock = sqlite3.connect(path.with_suffix(".lock"), isolation_level=None, timeout=0.0)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        raise InvalidParameterError(
            f"another run is at work on {path.parent.parent}: wait for it, or give another destination"
        ) from error
    return lock


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what goes wrong with the file into one line."""
    try:
        yield
    except OSError as error:
        raise AudioFileError(f"{path} cannot be written: {error.strerror or error}") from error
    except sqlite3.Error as error:
        raise AudioFileError(f"{path} cannot be used as a journal: {error}") from error
