"""The file that a journal is: opened to be written by one, or read by any, and what went wrong with it in one line."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from unmuffle.errors import AudioFileError, InvalidParameterError

_CACHE_KB = 64 * 1024
"""Room for the indices of some millions of names, which are looked up in any order."""
_SHORT_WAIT_S = 1.0
"""Those who look whether a lock is held hold it for a moment themselves."""


@contextlib.contextmanager
def connected(path: Path, *, writes: bool) -> Iterator[sqlite3.Connection]:
    """Open the database of a journal.

    Who only looks may do so at any time, also where nothing can be written.
    """
    if writes or os.access(path.parent, os.W_OK):
        db = sqlite3.connect(path, isolation_level=None, timeout=30.0)
    else:
        # Readers of a log in the manner of WAL write beside it; where nobody can write, nobody does.
        db = sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", isolation_level=None, uri=True)
    with contextlib.closing(db):
        db.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        if writes:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
        yield db


@contextlib.contextmanager
def alone(path: Path, otherwise: str) -> Iterator[None]:
    """Hold a lock that ends with this process, however it ends.

    Parameters
    ----------
    path : Path
        Of the lock, a file of its own.
    otherwise : str
        What to say where another holds it.

    Raises
    ------
    InvalidParameterError
        If another holds it.
    AudioFileError
        If the file cannot be written.
    """
    with contextlib.ExitStack() as stack:
        with told_of(path):
            lock = stack.enter_context(
                contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=_SHORT_WAIT_S))
            )
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                if not _says_held(error):
                    raise AudioFileError(f"{path} cannot be written: {reason(error)}") from error
                raise InvalidParameterError(f"{otherwise}: wait for it, or give another destination") from error
        yield


def lock_of(journal: Path) -> Path:
    """Return what a run holds while it is at work on a journal."""
    return journal.with_suffix(".lock")


def is_held(path: Path) -> bool:
    """Return whether a process holds a lock."""
    if not path.exists():
        return False
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", timeout=0.0, uri=True)) as lock:
        try:
            lock.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            return _says_held(error)
    return False


@contextlib.contextmanager
def told_of(path: Path) -> Iterator[None]:
    """Turn what goes wrong with a journal's file into one line."""
    try:
        yield
    except OSError as error:
        raise AudioFileError(f"{path} cannot be written: {error.strerror or error}") from error
    except sqlite3.Error as error:
        raise AudioFileError(f"{path} cannot be used as a journal: {reason(error)}") from error


def reason(error: sqlite3.Error) -> str:
    """Return what a fault of the database comes to, and the way out where there is one."""
    text = str(error)
    if "disk is full" in text:
        return "the disk is full: free some space, and run it again; it goes on where it was"
    if "readonly" in text or "unable to open" in text:
        return f"{text}: choose a folder that you may write to"
    return text


def _says_held(error: sqlite3.OperationalError) -> bool:
    return "locked" in str(error)
