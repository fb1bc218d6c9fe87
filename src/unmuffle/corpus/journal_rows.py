"""The tables of a journal, and clips as their rows: text, and hashes by which names are looked up."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import replace
from typing import Any

from unmuffle.corpus.clip import Clip, Member, marked_name
from unmuffle.corpus.compact import as_text
from unmuffle.corpus.remote import is_url
from unmuffle.errors import InvalidParameterError

FORMAT = 2
_HASH_BYTES = 12
"""Of a billion names, two have the same hash once in a hundred billion journals."""
SCHEMA = f"""
BEGIN;
CREATE TABLE settings (name TEXT PRIMARY KEY, value NOT NULL);
CREATE TABLE clips (
    id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, place BLOB NOT NULL UNIQUE, mark BLOB NOT NULL,
    clip BLOB NOT NULL
);
CREATE TABLE plan (
    number INTEGER NOT NULL, position INTEGER NOT NULL, clip INTEGER NOT NULL, PRIMARY KEY (number, position)
) WITHOUT ROWID;
CREATE TABLE results (
    clip INTEGER PRIMARY KEY, finished REAL NOT NULL, seconds REAL NOT NULL, cause TEXT, record BLOB NOT NULL
);
CREATE INDEX by_time ON results (finished, seconds, cause);
INSERT INTO settings VALUES ('format', '{FORMAT}');
COMMIT;
"""  # noqa: S608 (our own number)
FORGET = "DELETE FROM results; DELETE FROM plan; DELETE FROM clips; DELETE FROM settings WHERE name LIKE 'like %'"
MET = """
CREATE TEMP TABLE IF NOT EXISTS names (name BLOB PRIMARY KEY, source TEXT) WITHOUT ROWID;
CREATE TEMP TABLE IF NOT EXISTS places (place BLOB PRIMARY KEY) WITHOUT ROWID;
DELETE FROM names;
DELETE FROM places;
"""
NOTE = "INSERT OR REPLACE INTO results SELECT id, ?, ?, ?, ? FROM clips WHERE name = ?"
TODO = """
SELECT position, clips.clip FROM plan JOIN clips ON clips.id = plan.clip LEFT JOIN results ON results.clip = plan.clip
WHERE number = ? AND position > ? AND results.clip IS NULL ORDER BY position LIMIT ?
"""
RESULTS = """
SELECT clips.clip, cause, record FROM plan JOIN clips ON clips.id = plan.clip JOIN results ON results.clip = plan.clip
WHERE number = ? AND (cause IS NULL) = ? ORDER BY position
"""
_ROOM = 1000


class Seen:
    """Numbers that were met, a byte each."""

    def __init__(self) -> None:
        self._marks = bytearray()

    def add(self, number: int) -> bool:
        """Take in a number, and return whether it is a new one."""
        if number >= len(self._marks):
            self._marks.extend(bytes(max(_ROOM, len(self._marks), number + 1 - len(self._marks))))
        new = not self._marks[number]
        self._marks[number] = 1
        return new


def at(clip: Clip, output: str) -> Clip:
    """Return a clip whose result has another name."""
    return clip if clip.output == output else replace(clip, output=output)


def otherwise_named(clip: Clip) -> Clip:
    """Return a clip whose result has the next name to be tried."""
    return at(clip, marked_name(clip.output, f"{clip.key} {clip.output}"))


def told(clip: Clip) -> bytes:
    """Return a clip as text."""
    return as_text([clip.key, clip.source, clip.output, dict(clip.fields), clip.span_s, clip.member, clip.stamp])


def read(row: Any) -> Clip:
    """Return a clip again."""
    key, source, output, fields, span_s, member, stamp = row
    span_s = None if span_s is None else tuple(span_s)
    return Clip(key, source, output, fields, span_s, None if member is None else Member(*member), stamp)


def name_hash(key: str) -> bytes:
    """Return the hash of a clip's name."""
    return _hash(key)


def place_hash(output: str) -> bytes:
    """Return the hash of a path; the same where a file system might take two for one."""
    if output.isascii():
        return _hash(output.lower())
    return _hash(unicodedata.normalize("NFC", unicodedata.normalize("NFC", output).casefold()))


def mark_hash(clip: Clip) -> bytes:
    """Return what changes with the audio; a corpus of files that was moved, or is mounted elsewhere, is the same."""
    told_by_itself = clip.source_stamp and not is_url(clip.source)
    return _hash(clip.mark if told_by_itself else f"{clip.source} {clip.mark}")


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES).digest()


def twins(source: str, clip: Clip) -> InvalidParameterError:
    """Return what is wrong with two clips of one name."""
    return InvalidParameterError(
        f"{source} and {clip.source} are both called {clip.key!r} in the corpus: give each an id of its own"
    )
