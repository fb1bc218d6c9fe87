"""The tier on the disk: files of entries, and the index that processes share."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from unmuffle.cache import ledger
from unmuffle.cache.entry_files import PENDING_S, Entry, EntryFiles, Staged
from unmuffle.cache.index import Index
from unmuffle.cache.mending import mend
from unmuffle.cache.reading import EntryBlocks

LAYOUT = "v1"
"""Name of the folder in which all lies: another layout will have another."""

logger = logging.getLogger("unmuffle.cache")


class DiskTier:
    """Entries on the disk; what fails there is told once, and is otherwise as if there were no entry.

    Parameters
    ----------
    folder : Path
    limit_bytes : int
        What all entries together may take.
    ttl_s : float or None
        Age from which an entry is not used any more.
    clock : callable
        Tells the time in seconds.
    """

    def __init__(self, folder: Path, limit_bytes: int, ttl_s: float | None, clock: Callable[[], float]) -> None:
        self.limit_bytes = limit_bytes
        self._folder, self._ttl_s, self._clock = folder, ttl_s, clock
        self._home = folder / LAYOUT
        self._files = EntryFiles(self._home)
        self._index = Index(self._home, self._files.all)
        self._swept_s: float | None = None
        self._told: set[str] = set()

    def find(self, key: str) -> Entry | None:
        """Return the entry of a key, if it has not expired."""
        now_s = self._clock()

        def look(connection: sqlite3.Connection) -> tuple[Entry | None, bool]:
            entry = ledger.find(connection, key)
            return entry, entry is not None and self._ttl_s is not None and ledger.clock_went_back(connection, now_s)

        try:
            entry, of_unknown_age = self._index.read(look)
        except (OSError, sqlite3.Error) as error:
            self.failed("its index cannot be read", error)
            entry, of_unknown_age = self._files.find(key), False
        if entry is None or self._ttl_s is None:
            return entry
        if not of_unknown_age and 0.0 <= now_s - entry.made_s <= self._ttl_s:
            return entry
        self._strike_out(entry, "expired")
        return None

    def open(self, key: str, entry: Entry | None, counted: bool) -> EntryBlocks | None:
        """Open the file of an entry that was found; None, and a question without an answer, where there is none."""
        # It may be replaced between the look into the index and the opening of its file, hence the second try.
        for _ in range(2):
            if entry is None:
                break
            try:
                return EntryBlocks(entry, self._files.open(entry), partial(self._read, entry, counted))
            except FileNotFoundError:
                self._strike_out(entry, None)
                entry = self.find(key)
            except OSError as error:
                self.failed("an entry cannot be read", error)
                break
        if counted:
            self._write(lambda connection: ledger.count(connection, "misses"))
        return None

    def path(self, entry: Entry) -> Path:
        """Return the name of an entry's file."""
        return self._files.path(entry.key, entry.sha256)

    def store(self, key: str, blocks: Iterable[bytes | memoryview]) -> str | None:
        """Write an entry; return its checksum, None if it could not be written or has no room."""
        try:
            now_s = self._clock()
            if self._swept_s is None or abs(now_s - self._swept_s) > PENDING_S:
                self._files.sweep()
                self._swept_s = now_s
            staged = self._files.stage(blocks)
        except OSError as error:
            self.failed("nothing can be kept in it", error)
            return None
        try:
            if staged.size > self.limit_bytes:
                return None
            self._index.write(lambda connection: self._settle(connection, key, staged))
        except (OSError, sqlite3.Error) as error:
            if not staged.path.exists():
                # It was settled, but the index does not know of it.
                self._files.remove(key, staged.sha256)
            self.failed("nothing can be kept in it", error)
            return None
        finally:
            staged.discard()
        return staged.sha256

    def used(self, entry: Entry, counted: bool, also: str | None = None) -> None:
        """Note that an entry was given.

        Parameters
        ----------
        entry : Entry
        counted : bool
            Whether it answered a question of its own.
        also : str, optional
            Another counter than that of the hits to count it in.
        """

        def note(connection: sqlite3.Connection) -> None:
            ledger.note_time(connection, self._clock())
            ledger.touch(connection, entry.key)
            for name in ("hits", also) if counted else ():
                if name is not None:
                    ledger.count(connection, name)

        self._write(note)

    def numbers(self) -> dict[str, int]:
        """Return the counters, and how many entries and bytes there are; nothing where that cannot be had."""
        if not self._home.is_dir():
            return {}
        try:
            return {name: int(value) for name, value in self._index.read(ledger.numbers).items()}
        except (OSError, sqlite3.Error) as error:
            self.failed("its index cannot be read", error)
            return {}

    def clear(self) -> None:
        """Remove all entries, and count anew.

        Raises
        ------
        OSError
            If the folder cannot be written to.
        """
        if not self._home.is_dir():
            return

        def empty(connection: sqlite3.Connection) -> None:
            # Also those that the index does not know.
            for entry in self._files.all():
                self._files.remove(entry.key, entry.sha256)
            ledger.empty(connection)

        try:
            self._index.write(empty)
            self._index.remove_set_aside()
        except sqlite3.Error as error:
            raise OSError(f"the cache in {self._folder} cannot be cleared: {error}") from error
        self._files.sweep()

    def close(self) -> None:
        """Close the index; it opens again when it is next used."""
        self._index.close()

    def failed(self, what: str, error: Exception) -> None:
        """Tell of a failure, unless it has been told."""
        message = f"the cache in {self._folder} is of no use here: {what}: {error}"
        if message not in self._told:
            self._told.add(message)
            logger.warning(message)

    def _read(self, entry: Entry, counted: bool, right: bool, opened: os.stat_result) -> None:
        """Take in that an entry was read to its end."""
        if right:
            self.used(entry, counted)
            return
        self._strike_out(entry, "damaged", opened)
        if counted:
            self._write(lambda connection: ledger.count(connection, "misses"))

    def _settle(self, connection: sqlite3.Connection, key: str, staged: Staged) -> None:
        """Make an entry of what was staged, and room for it.

        Files come and go only within a transaction, so no process removes what another is just writing.
        """
        now_s = self._clock()
        ledger.note_time(connection, now_s)
        mend(connection, self._files, now_s)
        before = ledger.find(connection, key)
        self._files.settle(staged, key)
        ledger.put(connection, Entry(key, staged.sha256, staged.size, now_s))
        ledger.count(connection, "stored")
        if before is not None and before.sha256 != staged.sha256:
            self._files.remove(key, before.sha256)
        if self._ttl_s is not None:
            self._remove_all(connection, ledger.older_than(connection, now_s - self._ttl_s), "expired")
        self._remove_all(connection, ledger.too_many(connection, self.limit_bytes), "evicted")

    def _remove_all(self, connection: sqlite3.Connection, entries: list[Entry], counter: str) -> None:
        for entry in entries:
            ledger.remove(connection, entry)
            self._files.remove(entry.key, entry.sha256)
        ledger.count(connection, counter, len(entries))

    def _strike_out(self, entry: Entry, counter: str | None, opened: os.stat_result | None = None) -> None:
        """Remove an entry that was found to be gone, expired or damaged, unless it has been written anew since."""
        path = self._files.path(entry.key, entry.sha256)

        def strike(connection: sqlite3.Connection) -> None:
            ledger.note_time(connection, self._clock())
            now = ledger.find(connection, entry.key)
            if counter == "expired" and (now is None or now.made_s > entry.made_s):
                return
            if opened is not None and path.exists() and not os.path.samestat(opened, path.stat()):
                return
            if counter is None and path.exists():
                return
            self._files.remove(entry.key, entry.sha256)
            if ledger.remove(connection, entry) and counter is not None:
                ledger.count(connection, counter)

        self._write(strike)

    def _write(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Keep the books, if that is possible; the answer does not depend on it."""
        try:
            self._index.write(work)
        except (OSError, sqlite3.Error) as error:
            self.failed("its index cannot be written", error)
