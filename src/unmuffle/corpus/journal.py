"""What is done and what is left of a run over a corpus, in SQLite: a run may be killed at any time and goes on.

One process writes: that of the run. What it has noted as done is in place as a whole file; a clip that was at work when
the run was killed is not noted, and is done again.

Clips are kept in the order in which they were first met, a plan says which of them the corpus holds now, and results
are added as they come: to note one writes at the end of a table and of an index, however many there are. Names are
looked up by hashes, so that no text is kept twice.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeAlias

from unmuffle.corpus.clip import Clip
from unmuffle.corpus.compact import Compact, as_text
from unmuffle.corpus.journal_file import alone, connected, lock_of, reason, told_of
from unmuffle.corpus.journal_rows import (
    FORGET,
    FORMAT,
    MET,
    NOTE,
    RESULTS,
    SCHEMA,
    TODO,
    Seen,
    at,
    mark_hash,
    name_hash,
    otherwise_named,
    place_hash,
    read,
    told,
    twins,
)
from unmuffle.errors import AudioFileError

State: TypeAlias = Literal["todo", "done", "failed", "gone"]
Standing: TypeAlias = Literal["new", "changed", "todo", "done", "failed"]
"""Of a clip that a corpus holds now: what the journal knows of it."""

_PAGE = 1000


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
        self._compacts: dict[str, Compact] = {}

    def __enter__(self) -> Journal:
        with contextlib.ExitStack() as stack:
            if self._writes:
                with told_of(self.path):
                    self.path.parent.mkdir(parents=True, exist_ok=True)
                stack.enter_context(alone(lock_of(self.path), f"another run is at work on {self._folder}"))
            with told_of(self.path):
                self._db = stack.enter_context(connected(self.path, writes=self._writes))
                self._open()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        if isinstance(error, sqlite3.Error):
            raise AudioFileError(f"the journal {self.path} cannot be used: {reason(error)}") from error

    @property
    def settings(self) -> dict[str, Any]:
        """What the run was begun with; empty before."""
        return dict(json.loads(self._get("run", "{}")))

    @settings.setter
    def settings(self, told: Mapping[str, Any]) -> None:
        self._set("run", json.dumps(told, sort_keys=True))

    def plan(self, clips: Iterable[Clip]) -> None:
        """Take in what the corpus holds now.

        Clips that are new, or whose audio has changed, are to be done; those that are no longer in it are gone, and
        their results left. Where two results would have one name, on whatever file system, the later one is marked.
        Until all are taken in, the plan before holds.

        Raises
        ------
        InvalidParameterError
            If two clips have one key.
        """
        number = self._planned + 1
        self._db.execute("DELETE FROM plan WHERE number >= ?", (number,))
        numbered, seen = enumerate(clips), Seen()
        while page := list(islice(numbered, _PAGE)):
            with self._transaction():
                rows = [(number, position, self._taken_in(clip, seen)) for position, clip in page]
                self._db.executemany("INSERT INTO plan VALUES (?, ?, ?)", rows)
        with self._transaction():
            self._set("plan", number)
            if self._count("clips") != self._present():
                gone = "clip NOT IN (SELECT clip FROM plan WHERE number = ?)"
                self._db.execute(f"DELETE FROM results WHERE {gone}", (number,))  # noqa: S608 (no input in it)
            self._db.execute("DELETE FROM plan WHERE number < ?", (number,))

    def foresee(self, clips: Iterable[Clip]) -> Iterator[tuple[Clip, Standing]]:
        """Yield clips as a plan would take them in, with what is known of each; nothing is written.

        Raises
        ------
        InvalidParameterError
            If two clips have one key.
        """
        self._db.executescript(MET)
        for clip in clips:
            twin = self._db.execute("SELECT source FROM names WHERE name = ?", (name_hash(clip.key),)).fetchone()
            if twin is not None:
                raise twins(twin[0], clip)
            self._db.execute("INSERT INTO names VALUES (?, ?)", (name_hash(clip.key), ascii(clip.source)))
            there = self._find(clip)
            output = self._free_name(clip) if there is None else there[2].output
            self._db.execute("INSERT OR IGNORE INTO places VALUES (?)", (place_hash(output),))
            yield at(clip, output), self._standing(clip, there)

    def clear(self) -> None:
        """Forget every clip, so that a new plan has all of them done."""
        with self._transaction():
            for statement in FORGET.split(";"):
                self._db.execute(statement)
        self._compacts.clear()

    def redo(self, state: Literal["done", "failed"]) -> int:
        """Have clips of a state done again, and return how many."""
        return self._db.execute("DELETE FROM results WHERE (cause IS NULL) = ?", (state == "done",)).rowcount

    def redo_clip(self, key: str) -> None:
        """Have one clip done again."""
        self._db.execute("DELETE FROM results WHERE clip = (SELECT id FROM clips WHERE name = ?)", (name_hash(key),))

    def todo(self) -> Iterator[Clip]:
        """Yield what is to be done, in the order of the corpus."""
        place, number = -1, self._planned
        while page := self._db.execute(TODO, (number, place, _PAGE)).fetchall():
            for _, packed in page:
                yield self._clip(packed)
            place = page[-1][0]

    def finish(self, key: str, record: Mapping[str, Any], seconds: float) -> None:
        """Note that a clip is done, with what is to be told of it and its length."""
        self._note(key, seconds, None, record)

    def fail(self, key: str, cause: str, message: str) -> None:
        """Note that a clip cannot be done, with the kind of fault and the message."""
        self._note(key, 0.0, cause, message)

    def counts(self) -> dict[State, int]:
        """Return how many clips are in each state; states without any are left out."""
        present = self._present()
        states = self._db.execute("SELECT cause IS NULL, COUNT(*) FROM results GROUP BY 1").fetchall()
        found: dict[State, int] = {("done" if done else "failed"): count for done, count in states}
        found["todo"] = max(0, present - sum(found.values()))
        if not self.planning():
            found["gone"] = self._count("clips") - present
        return {state: count for state, count in found.items() if count}

    def planning(self) -> int:
        """Return how many clips a plan that is not at its end has taken in; 0 where there is none."""
        query = "SELECT COUNT(*) FROM plan WHERE number > ?"
        return int(self._db.execute(query, (self._planned,)).fetchone()[0])

    def failures(self) -> dict[str, int]:
        """Return how many clips failed for each kind of fault."""
        return dict(self._db.execute("SELECT cause, COUNT(*) FROM results WHERE cause IS NOT NULL GROUP BY cause"))

    def faults(self) -> Iterator[tuple[str, int, str]]:
        """Yield each kind of fault with how many clips have it and the message of one, the most common first."""
        query = "SELECT cause, COUNT(*), MIN(clip) FROM results WHERE cause IS NOT NULL GROUP BY cause ORDER BY 2 DESC"
        for cause, count, clip in self._db.execute(query).fetchall():
            found = self._db.execute("SELECT record FROM results WHERE clip = ?", (clip,)).fetchone()
            yield cause, count, "" if found is None else str(self._unpacked("record", found[0]))

    def failed(self) -> Iterator[tuple[Clip, str, str]]:
        """Yield clips that failed with the kind of fault and the message."""
        for packed, cause, record in self._db.execute(RESULTS, (self._planned, False)):
            yield self._clip(packed), cause, str(self._unpacked("record", record))

    def done(self) -> Iterator[tuple[Clip, dict[str, Any]]]:
        """Yield clips that are done with what is to be told of them, in the order of the corpus."""
        for packed, _, record in self._db.execute(RESULTS, (self._planned, True)):
            yield self._clip(packed), self._unpacked("record", record)

    def pace(self, over_s: float) -> tuple[int, float, float]:
        """Return clips and seconds of audio done within a time that ends with the latest, and that time in seconds."""
        (latest,) = self._db.execute("SELECT COALESCE(MAX(finished), 0) FROM results").fetchone()
        query = "SELECT COUNT(*), COALESCE(SUM(seconds), 0), COALESCE(MIN(finished), 0) FROM results WHERE finished > ?"
        clips, seconds, first = self._db.execute(query, (latest - over_s,)).fetchone()
        return clips, seconds, latest - first

    def seconds(self) -> float:
        """Return the length of all that is done."""
        return float(self._db.execute("SELECT COALESCE(SUM(seconds), 0) FROM results").fetchone()[0])

    def _open(self) -> None:
        """Make the tables where there are none, and see that they are of this format."""
        if self._writes and not self._db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]:
            self._db.executescript(SCHEMA)
        if self._get("format", None) != str(FORMAT):
            raise AudioFileError(f"{self.path} is of another version of unmuffle: give another destination")

    @property
    def _folder(self) -> Path:
        return self.path.parent.parent

    @property
    def _planned(self) -> int:
        """The number of the plan that holds."""
        return int(self._get("plan", 0))

    def _present(self) -> int:
        return int(self._db.execute("SELECT COUNT(*) FROM plan WHERE number = ?", (self._planned,)).fetchone()[0])

    def _count(self, table: str) -> int:
        return int(self._db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])  # noqa: S608 (our own names)

    def _taken_in(self, clip: Clip, seen: Seen) -> int:
        """Take in a clip, and return its number."""
        there = self._find(clip)
        if there is None:
            made = clip
            while not (added := self._added(made)):
                made = otherwise_named(made)
            seen.add(added)
            return added
        number, mark, before = there
        if not seen.add(number):
            raise twins(before.source, clip)
        now, new_mark = at(clip, before.output), mark_hash(clip)
        if mark != new_mark:
            self._db.execute("DELETE FROM results WHERE clip = ?", (number,))
        if mark != new_mark or told(now) != told(before):
            packed = self._packed("clip", told(now))
            self._db.execute("UPDATE clips SET mark = ?, clip = ? WHERE id = ?", (new_mark, packed, number))
        return number

    def _added(self, clip: Clip) -> int:
        """Add a new clip, and return its number; 0 if there is a result of its name."""
        row = (name_hash(clip.key), place_hash(clip.output), mark_hash(clip), self._packed("clip", told(clip)))
        added = self._db.execute("INSERT OR IGNORE INTO clips VALUES (NULL, ?, ?, ?, ?)", row)
        return int(added.lastrowid or 0) if added.rowcount else 0

    def _find(self, clip: Clip) -> tuple[int, bytes, Clip] | None:
        """Return number, mark and what was told of a clip that was met before."""
        found = self._db.execute("SELECT id, mark, clip FROM clips WHERE name = ?", (name_hash(clip.key),)).fetchone()
        return None if found is None else (found[0], found[1], self._clip(found[2]))

    def _standing(self, clip: Clip, there: tuple[int, bytes, Clip] | None) -> Standing:
        if there is None or there[1] != mark_hash(clip):
            return "new" if there is None else "changed"
        found = self._db.execute("SELECT cause FROM results WHERE clip = ?", (there[0],)).fetchone()
        return "todo" if found is None else "done" if found[0] is None else "failed"

    def _free_name(self, clip: Clip) -> str:
        """Return the name that the result of a new clip would get after those that were foreseen."""
        query = "SELECT 1 FROM clips WHERE place = ?1 UNION ALL SELECT 1 FROM places WHERE place = ?1"
        while self._db.execute(query, (place_hash(clip.output),)).fetchone():
            clip = otherwise_named(clip)
        return clip.output

    def _note(self, key: str, seconds: float, cause: str | None, record: Any) -> None:
        packed = self._packed("record", as_text(record))
        self._db.execute(NOTE, (time.time(), seconds, cause, packed, name_hash(key)))

    def _clip(self, packed: bytes) -> Clip:
        return read(self._unpacked("clip", packed))

    def _packed(self, kind: str, text: bytes) -> bytes:
        return self._compact(kind, text).pack(text)

    def _unpacked(self, kind: str, packed: bytes) -> Any:
        return json.loads(self._compact(kind).unpack(packed))

    def _compact(self, kind: str, first: bytes = b"") -> Compact:
        """Return what packs records of a kind; the first there is of them is what the others are like."""
        if kind not in self._compacts:
            like = self._get(f"like {kind}", None)
            if like is None:
                like = first
                self._set(f"like {kind}", like)
            self._compacts[kind] = Compact(like)
        return self._compacts[kind]

    def _get(self, name: str, otherwise: Any) -> Any:
        found = self._db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return otherwise if found is None else found[0]

    def _set(self, name: str, value: Any) -> None:
        self._db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._compacts.clear()
            # A full disk has ended it already.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
