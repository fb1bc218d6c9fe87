"""Reading an entry against its checksum."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from types import TracebackType
from typing import BinaryIO

from unmuffle.cache.entry_files import Entry
from unmuffle.cache.keys import BLOCK_BYTES


class DamagedEntryError(Exception):
    """An entry was found not to be what was put there: what was read of it is to be thrown away."""


class EntryBlocks:
    """The bytes of an entry, in blocks of at most 1 MiB; that they are right is known only at their end.

    An iterator and a context manager; one that is not read to its end is to be closed.

    Parameters
    ----------
    entry : Entry
    file : BinaryIO
        Opened at its beginning. It may be removed meanwhile.
    done : callable
        Told at the end whether the bytes were right, and which file it was.

    Raises
    ------
    DamagedEntryError
        In the place of the end, where the bytes were not right.
    """

    def __init__(self, entry: Entry, file: BinaryIO, done: Callable[[bool, os.stat_result], None]) -> None:
        self.entry = entry
        self._file = file
        self._done = done
        self._checksum = hashlib.sha256()

    def __iter__(self) -> EntryBlocks:
        return self

    def __next__(self) -> bytes:
        if self._file.closed:
            raise StopIteration
        block = self._read()
        if block:
            self._checksum.update(block)
            return block
        opened = os.fstat(self._file.fileno())
        self._file.close()
        right = self._checksum.hexdigest() == self.entry.sha256
        self._done(right, opened)
        if not right:
            raise DamagedEntryError(f"the entry {self.entry.key} is not what was put there: it has been removed")
        raise StopIteration

    def close(self) -> None:
        """Read no more."""
        self._file.close()

    def __enter__(self) -> EntryBlocks:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> bytes:
        try:
            return self._file.read(BLOCK_BYTES)
        except OSError:
            # A disk that fails here has lost the rest, which the checksum will tell.
            return b""
