"""The index of a cache: an SQLite database in WAL mode that several processes may use at once.

A database that is found damaged is set aside: the next number is begun, ``index-2.sqlite`` after ``index-1.sqlite``,
and filled from the names of the entries' files. All processes use the highest number there is, so none has to be told,
and no database is ever renamed or removed under one that has it open.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from unmuffle.cache import ledger
from unmuffle.cache.entry_files import Entry, make_private_folder

BUSY_S = 5.0
"""How long to wait for another process that is writing."""

_NAME = re.compile(r"index-([0-9]+)\.sqlite")
_WORDS_OF_DAMAGE = (
    "malformed",
    "not a database",
    "no such table",
    "no such column",
    "could not decode",
    "already exists",
)

ResultT = TypeVar("ResultT")
Work = Callable[[sqlite3.Connection], ResultT]

logger = logging.getLogger("unmuffle.cache")


class Index:
    """The index under a folder. Threads may share it, and it may be carried into a forked process.

    Parameters
    ----------
    home : Path
        Made when the index is first used.
    entries : callable
        Gives all entries whose files are there, to fill a new index from.
    """

    def __init__(self, home: Path, entries: Callable[[], Iterable[Entry]]) -> None:
        self._home = home
        self._entries = entries
        self._lock = threading.RLock()
        self._open: list[sqlite3.Connection] = []
        self._path = home
        self._owner = 0
        self._identity = (0, 0)
        weakref.finalize(self, _close_all, self._open, os.getpid())

    def read(self, work: Work[ResultT]) -> ResultT:
        """Return what work makes of the database.

        Raises
        ------
        sqlite3.Error, OSError
            If the database cannot be had.
        """
        return self._healed(work)

    def write(self, work: Work[ResultT]) -> ResultT:
        """Do work in one transaction, alone among all processes; it may be done a second time, on a new database.

        Raises
        ------
        sqlite3.Error, OSError
            If the database cannot be had, or not be written; nothing is then written.
        """
        return self._healed(lambda connection: _alone(connection, work))

    def close(self) -> None:
        """Close the database; it opens again when it is next used."""
        with self._lock:
            _close_all(self._open, self._owner)

    def remove_set_aside(self) -> None:
        """Remove the databases that are no longer used."""
        newest = _newest(self._home)
        for number in _numbers(self._home):
            if number < newest:
                for suffix in ("", "-wal", "-shm"):
                    with contextlib.suppress(OSError):
                        (self._home / f"index-{number}.sqlite{suffix}").unlink()

    def _healed(self, work: Work[ResultT]) -> ResultT:
        with self._lock:
            try:
                with _legible():
                    return work(self._connection())
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                self._set_aside(error)
                with _legible():
                    return work(self._connection())

    def _connection(self) -> sqlite3.Connection:
        if self._open and self._owner == os.getpid() and self._is_current():
            return self._open[0]
        _close_all(self._open, self._owner)
        make_private_folder(self._home)
        self._path = self._home / f"index-{max(1, _newest(self._home))}.sqlite"
        self._owner = os.getpid()
        self._open.append(self._connected())
        self._identity = _identity(self._path)
        return self._open[0]

    def _is_current(self) -> bool:
        """Whether the database is still the one under its name, and no newer one has been begun."""
        with contextlib.suppress(OSError):
            return _identity(self._path) == self._identity and not _next(self._path).exists()
        return False

    def _connected(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            if connection.execute("PRAGMA user_version").fetchone()[0] != ledger.VERSION:
                _use_wal(connection)
                _alone(connection, self._lay_out)
            connection.execute("PRAGMA synchronous=NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _lay_out(self, connection: sqlite3.Connection) -> None:
        if connection.execute("PRAGMA user_version").fetchone()[0] != ledger.VERSION:
            ledger.lay_out(connection)
            ledger.adopt(connection, self._entries())

    def _set_aside(self, error: Exception) -> None:
        _close_all(self._open, self._owner)
        newest = _newest(self._home)
        damaged, self._path = self._path, _next(self._path)
        if _number(damaged) < newest:
            # Another process has seen to it.
            self._path = self._home / f"index-{newest}.sqlite"
            return
        logger.warning(
            "the index of the cache, %s, is damaged (%s): it is set aside, and a new one is made from the entries",
            damaged,
            error,
        )
        # Made before it is connected to, so that the other processes see it.
        self._path.touch(0o600)


@contextlib.contextmanager
def _legible() -> Iterator[None]:
    """Take a message that cannot be read, as from a damaged schema, for the damage that it is about."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise sqlite3.DatabaseError("malformed: it holds text that is none") from error


def _alone(connection: sqlite3.Connection, work: Work[ResultT]) -> ResultT:
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    return result


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL; SQLite does not wait for other processes that are just doing the same."""
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    text = str(error).lower()
    return type(error) is sqlite3.DatabaseError or any(word in text for word in _WORDS_OF_DAMAGE)


_INHERITED: list[sqlite3.Connection] = []
"""Connections of a parent process: closing them in the child could take the parent's locks."""


def _close_all(connections: list[sqlite3.Connection], owner: int) -> None:
    while connections:
        connection = connections.pop()
        if owner == os.getpid():
            with contextlib.suppress(sqlite3.Error):
                connection.close()
        else:
            _INHERITED.append(connection)


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _numbers(home: Path) -> list[int]:
    return [int(name[1]) for name in (_NAME.fullmatch(path.name) for path in home.iterdir()) if name is not None]


def _newest(home: Path) -> int:
    return max(_numbers(home), default=0)


def _number(path: Path) -> int:
    name = _NAME.fullmatch(path.name)
    return int(name[1]) if name is not None else 0


def _next(path: Path) -> Path:
    return path.with_name(f"index-{_number(path) + 1}.sqlite")
