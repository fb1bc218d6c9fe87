"""What stands in the index of a cache: a row an entry, the order of their use, and counters.

Every function takes a connection; those that write are called within a transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from math import isfinite
from typing import Any

from unmuffle.cache.entry_files import Entry
from unmuffle.cache.keys import is_digest

VERSION = 1

COUNTERS = ("hits", "memory_hits", "misses", "stored", "evicted", "expired", "damaged")

MENDED_S = "mended_s"
"""When index and files were last compared."""

_CLOCKS_DIFFER_S = 2.0
"""The clock may be set by so much without a word."""

_TABLES = (
    """CREATE TABLE entries (
        key TEXT NOT NULL PRIMARY KEY, sha256 TEXT NOT NULL, size INTEGER NOT NULL, made_s REAL NOT NULL,
        used INTEGER NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX by_use ON entries (used)",
    "CREATE INDEX by_age ON entries (made_s)",
    "CREATE TABLE numbers (name TEXT NOT NULL PRIMARY KEY, value NUMERIC NOT NULL) WITHOUT ROWID",
    # Sums are kept as rows come and go, since adding up all sizes at each would take long.
    """CREATE TRIGGER came AFTER INSERT ON entries BEGIN
        UPDATE numbers SET value = value + NEW.size WHERE name = 'bytes';
        UPDATE numbers SET value = value + 1 WHERE name = 'entries'; END""",
    """CREATE TRIGGER went AFTER DELETE ON entries BEGIN
        UPDATE numbers SET value = value - OLD.size WHERE name = 'bytes';
        UPDATE numbers SET value = value - 1 WHERE name = 'entries'; END""",
    """CREATE TRIGGER changed AFTER UPDATE OF size ON entries BEGIN
        UPDATE numbers SET value = value + NEW.size - OLD.size WHERE name = 'bytes'; END""",
)


def lay_out(connection: sqlite3.Connection) -> None:
    """Make the tables of an empty database."""
    for statement in _TABLES:
        connection.execute(statement)
    names = (*COUNTERS, "bytes", "entries", "uses", "latest_s", MENDED_S)
    connection.executemany("INSERT INTO numbers VALUES (?, 0)", [(name,) for name in names])
    connection.execute(f"PRAGMA user_version = {VERSION}")


def adopt(connection: sqlite3.Connection, entries: Iterable[Entry]) -> None:
    """Take in entries whose files were found; of several for a key the newest, and the oldest are the first to go."""
    for entry in sorted(entries, key=lambda entry: entry.made_s):
        put(connection, entry)


def find(connection: sqlite3.Connection, key: str) -> Entry | None:
    """Return the entry of a key."""
    row = connection.execute("SELECT key, sha256, size, made_s FROM entries WHERE key = ?", (key,)).fetchone()
    return None if row is None else _entry(row)


def put(connection: sqlite3.Connection, entry: Entry) -> None:
    """Write an entry, in the place of the one of that key."""
    connection.execute(
        "INSERT INTO entries VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET sha256 = excluded.sha256, "
        "size = excluded.size, made_s = excluded.made_s, used = excluded.used",
        (entry.key, entry.sha256, entry.size, entry.made_s, _next_use(connection)),
    )


def touch(connection: sqlite3.Connection, key: str) -> None:
    """Note that an entry was used."""
    connection.execute("UPDATE entries SET used = ? WHERE key = ?", (_next_use(connection), key))


def remove(connection: sqlite3.Connection, entry: Entry) -> bool:
    """Strike an entry out; False where the key has another one by now, or none."""
    where = "DELETE FROM entries WHERE key = ? AND sha256 = ?"
    return connection.execute(where, (entry.key, entry.sha256)).rowcount > 0


def older_than(connection: sqlite3.Connection, made_s: float) -> list[Entry]:
    """Return the entries made before a time."""
    rows = connection.execute("SELECT key, sha256, size, made_s FROM entries WHERE made_s < ?", (made_s,))
    return [_entry(row) for row in rows]


def too_many(connection: sqlite3.Connection, limit_bytes: int) -> list[Entry]:
    """Return the least recently used entries, as many as have to go for the rest to keep within a limit."""
    excess = int(number(connection, "bytes")) - limit_bytes
    return list(_least_used(connection, excess)) if excess > 0 else []


def all_entries(connection: sqlite3.Connection) -> list[Entry]:
    """Return all entries, in no order."""
    return [_entry(row) for row in connection.execute("SELECT key, sha256, size, made_s FROM entries")]


def recount(connection: sqlite3.Connection) -> None:
    """Add up all entries anew."""
    for name, total in (("entries", "COUNT(*)"), ("bytes", "COALESCE(SUM(size), 0)")):
        connection.execute(f"UPDATE numbers SET value = (SELECT {total} FROM entries) WHERE name = ?", (name,))  # noqa: S608


def number(connection: sqlite3.Connection, name: str) -> float:
    """Return a counter, or another number that is kept.

    Raises
    ------
    sqlite3.DatabaseError
        If there is none, which only damage can bring about.
    """
    row = connection.execute("SELECT value FROM numbers WHERE name = ?", (name,)).fetchone()
    if row is None or not isinstance(row[0], (int, float)) or not isfinite(row[0]):
        raise sqlite3.DatabaseError(f"the index is malformed: it has no number of {name}")
    return row[0]


def set_number(connection: sqlite3.Connection, name: str, value: float) -> None:
    """Set a number that is kept."""
    connection.execute("UPDATE numbers SET value = ? WHERE name = ?", (value, name))


def numbers(connection: sqlite3.Connection) -> dict[str, float]:
    """Return the counters, and how many entries and bytes there are."""
    return {name: number(connection, name) for name in (*COUNTERS, "bytes", "entries")}


def count(connection: sqlite3.Connection, name: str, more: int = 1) -> None:
    """Add to a counter."""
    connection.execute("UPDATE numbers SET value = value + ? WHERE name = ?", (more, name))


def clock_went_back(connection: sqlite3.Connection, now_s: float) -> bool:
    """Whether an earlier call was told a later time."""
    return now_s < number(connection, "latest_s") - _CLOCKS_DIFFER_S


def note_time(connection: sqlite3.Connection, now_s: float) -> None:
    """Take in what the clock says; where it went back, how old the entries are is not known any more."""
    if clock_went_back(connection, now_s):
        connection.execute("UPDATE entries SET made_s = 0")
        set_number(connection, "latest_s", now_s)
    else:
        connection.execute("UPDATE numbers SET value = MAX(value, ?) WHERE name = 'latest_s'", (now_s,))


def empty(connection: sqlite3.Connection) -> None:
    """Strike out all entries and begin to count anew."""
    connection.execute("DELETE FROM entries")
    connection.executemany("UPDATE numbers SET value = 0 WHERE name = ?", [(name,) for name in COUNTERS])


def _next_use(connection: sqlite3.Connection) -> int:
    """Number the uses: a clock could be set back, and the order with it."""
    count(connection, "uses")
    return int(number(connection, "uses"))


def _least_used(connection: sqlite3.Connection, excess: int) -> Iterator[Entry]:
    rows = connection.execute("SELECT key, sha256, size, made_s FROM entries ORDER BY used")
    for row in rows:
        if excess <= 0:
            return
        entry = _entry(row)
        excess -= entry.size
        yield entry


def _entry(row: tuple[Any, ...]) -> Entry:
    key, sha256, size, made_s = row
    right = is_digest(key) and is_digest(sha256) and isinstance(size, int) and isinstance(made_s, (int, float))
    if not right:
        raise sqlite3.DatabaseError(f"the index is malformed: it has a row {row!r:.100}")
    return Entry(str(key), str(sha256), size, float(made_s))
