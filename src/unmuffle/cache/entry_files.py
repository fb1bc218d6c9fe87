"""The files of a cache: one an entry, named by its key and by the checksum of what is in it.

A file is written under a passing name, brought to the disk, and only then renamed, so that under its own name it is
whole. As the name tells the checksum, what is read can be verified even where the index has been lost, and two writers
of one entry cannot mix: other bytes have another name.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

PENDING_S = 900.0
"""A passing file that has not been written to for so long has lost its writer."""

_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600
_NAME = re.compile(r"([0-9a-f]{64})\.([0-9a-f]{64})")


@dataclass(frozen=True)
class Entry:
    """An entry: its key, the checksum and the number of its bytes, and when it was made, in seconds of the clock."""

    key: str
    sha256: str
    size: int
    made_s: float


@dataclass(frozen=True)
class Staged:
    """Bytes that are on the disk but not yet an entry."""

    path: Path
    sha256: str
    size: int

    def discard(self) -> None:
        """Remove them; nothing happens where they have become an entry."""
        with contextlib.suppress(OSError):
            self.path.unlink()


class EntryFiles:
    """The files under a folder, in 256 folders by the first digits of their keys.

    Parameters
    ----------
    home : Path
        Made when something is first written, for the user alone.
    """

    def __init__(self, home: Path) -> None:
        self._entries = home / "entries"
        self._pending = home / "pending"

    def stage(self, blocks: Iterable[bytes | memoryview]) -> Staged:
        """Write bytes to the disk under a passing name.

        Raises
        ------
        OSError
            If that fails; nothing is left then.
        """
        make_private_folder(self._pending)
        path = self._pending / secrets.token_hex(16)
        checksum, size = hashlib.sha256(), 0
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), _PRIVATE_FILE)
            with open(handle, "wb", buffering=0) as file:  # noqa: PTH123 (a handle, not a path)
                for block in blocks:
                    _write_all(file, block)
                    checksum.update(block)
                    size += len(block)
                os.fsync(handle)
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        return Staged(path, checksum.hexdigest(), size)

    def settle(self, staged: Staged, key: str) -> None:
        """Make an entry of what was staged."""
        place = self.path(key, staged.sha256)
        make_private_folder(place.parent)
        try:
            staged.path.replace(place)
        except FileNotFoundError:
            # Settled before, when the index was then found damaged and this is the second try.
            if not place.exists():
                raise

    def path(self, key: str, sha256: str) -> Path:
        """Return the name of an entry's file."""
        return self._entries / key[:2] / f"{key}.{sha256}"

    def open(self, entry: Entry) -> BinaryIO:
        """Open an entry's file, unbuffered."""
        return self.path(entry.key, entry.sha256).open("rb", buffering=0)

    def remove(self, key: str, sha256: str) -> None:
        """Remove an entry's file, if it can be."""
        with contextlib.suppress(OSError):
            self.path(key, sha256).unlink()

    def find(self, key: str) -> Entry | None:
        """Look for an entry without an index; the newest where there are several."""
        found = [entry for entry in _entries_in(self._entries / key[:2]) if entry.key == key]
        return max(found, key=lambda entry: entry.made_s, default=None)

    def all(self) -> Iterator[Entry]:
        """Yield all that can be found without an index, in no order."""
        with contextlib.suppress(OSError):
            for folder in sorted(self._entries.iterdir()):
                yield from _entries_in(folder)

    def sweep(self) -> None:
        """Remove what writers that were killed have left."""
        now_s = time.time()
        with contextlib.suppress(OSError):
            for path in self._pending.iterdir():
                with contextlib.suppress(OSError):
                    # The clock may have been set back.
                    if abs(now_s - path.stat().st_mtime) > PENDING_S:
                        path.unlink()


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, which only the user can look into."""
    if not folder.is_dir():
        make_private_folder(folder.parent)
        folder.mkdir(_PRIVATE_FOLDER, exist_ok=True)


def _write_all(file: BinaryIO, block: bytes | memoryview) -> None:
    left = memoryview(block)
    while left:
        left = left[file.write(left) :]


def _entries_in(folder: Path) -> Iterator[Entry]:
    with contextlib.suppress(OSError), os.scandir(folder) as files:
        for file in files:
            name = _NAME.fullmatch(file.name)
            if name is None:
                continue
            with contextlib.suppress(OSError):
                status = file.stat()
                yield Entry(name[1], name[2], status.st_size, status.st_mtime)
