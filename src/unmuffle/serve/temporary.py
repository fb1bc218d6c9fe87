"""A private folder for one process: its uploads and results, gone with it even if it is killed.

Each process holds a lock on a file in its folder for as long as it lives. The system drops the lock when the process
ends, however it ends; so a folder whose lock can be had belongs to nobody, and the next process to start removes it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from unmuffle.errors import UnmuffleError

# Elsewhere a file that is open cannot be renamed, which tells as much as a lock.
fcntl: Any = import_module("fcntl") if os.name == "posix" else None

PREFIX = "unmuffle-files-"
LOCK = "lock"
PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
BEING_MADE_S = 60.0
"""A folder without a lock is left alone for so long: its owner may be about to take it."""


class PrivateFolder:
    """The folder of this process.

    Parameters
    ----------
    parent : path, optional
        Where it is made; the system's folder for temporary files unless given. It is made if it is not there.

    Attributes
    ----------
    path : Path
        Of mode 0700.

    Raises
    ------
    UnmuffleError
        If it cannot be made.
    """

    def __init__(self, parent: str | os.PathLike[str] | None = None) -> None:
        self._parent = Path(parent) if parent is not None else Path(tempfile.gettempdir())
        try:
            self._parent.mkdir(parents=True, exist_ok=True)
            self.path, self._lock = _make_locked(self._parent)
        except OSError as error:
            raise UnmuffleError(f"no folder for temporary files can be made in {self._parent}: {error}") from error

    def make(self, kind: str, name: str | None = None) -> Path:
        """Make a folder in it, by a name that nobody can guess unless one is given."""
        folder = self.path / f"{kind}-{name or secrets.token_hex(16)}"
        folder.mkdir(mode=PRIVATE_FOLDER)
        return folder

    def sweep(self) -> int:
        """Remove what processes that are gone have left; return how many folders."""
        return sum(_remove_if_nobodys(folder) for folder in self._parent.glob(f"{PREFIX}*") if folder != self.path)

    def close(self) -> None:
        """Remove it with all that is in it."""
        if fcntl is None:
            self._close_lock()
        remove_folder(self.path)
        self._close_lock()

    def _close_lock(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._lock)


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it; what somebody else removes meanwhile is no error."""
    shutil.rmtree(folder, ignore_errors=True)


def private_opener(path: str, flags: int) -> int:
    """Open a new file that only we may read, as an ``opener`` of ``open``."""
    return os.open(path, flags, PRIVATE_FILE)


def owner_is_gone(folder: Path) -> bool:
    """Whether the process that made a folder has ended."""
    lock = _take_lock(folder)
    if lock is not None:
        os.close(lock)
    return lock is not None


def _make_locked(parent: Path) -> tuple[Path, int]:
    """Make a folder and take its lock; a sweeper may be quicker, and then another is made."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        (folder / LOCK).touch(mode=PRIVATE_FILE)
        lock = _take_lock(folder)
        if lock is None:
            continue
        if (folder / LOCK).exists():
            return folder, lock
        os.close(lock)


def _remove_if_nobodys(folder: Path) -> bool:
    """Remove a folder of ours whose owner has gone; links, and what others made, are left alone."""
    try:
        about = folder.lstat()
    except OSError:
        return False
    if not stat.S_ISDIR(about.st_mode) or (hasattr(os, "getuid") and about.st_uid != os.getuid()):
        return False
    if not (folder / LOCK).exists():
        if time.time() - about.st_mtime < BEING_MADE_S:
            return False
        remove_folder(folder)
        return True
    lock = _take_lock(folder)
    if lock is None:
        return False
    # Held until all is gone, so that nobody takes the folder for its own meanwhile.
    if fcntl is not None:
        remove_folder(folder)
    os.close(lock)
    remove_folder(folder)
    return True


def _take_lock(folder: Path) -> int | None:
    """Return the lock of a folder, or None where somebody has it."""
    try:
        if fcntl is None:
            # Only what nobody has open can be renamed there.
            (folder / LOCK).replace(folder / LOCK)
        lock = os.open(folder / LOCK, os.O_RDWR)
    except OSError:
        return None
    try:
        if fcntl is not None:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock
