"""Where the bytes go: a hidden file beside the destination that takes its place at the end, or a stream."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

from unmuffle.errors import AudioFileError, OutputExistsError

_REASONS = {
    errno.ENOSPC: "the disk is full: free some space or choose another folder",
    errno.EDQUOT: "the disk quota is used up: free some space or choose another folder",
    errno.EACCES: "permission denied: choose a folder that you may write to",
    errno.EPERM: "permission denied: choose a folder that you may write to",
    errno.EROFS: "the file system is read-only: choose another folder",
    errno.EFBIG: "the file would become larger than allowed here",
    errno.EPIPE: "whoever was reading it has gone",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EEXIST: "part of its path is a file, not a folder",
    errno.ENOTDIR: "part of its path is a file, not a folder",
}
_COPY_BYTES = 1 << 20


@contextlib.contextmanager
def told_as(name: str) -> Iterator[None]:
    """Turn errors of the operating system into one line about `name`."""
    try:
        yield
    except AudioFileError:
        raise
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
        raise AudioFileError(f"{name} cannot be written: {reason}") from error


class AtomicFile:
    """A hidden file in the destination's folder, moved to its name in one step.

    Parameters
    ----------
    path : Path
        The destination; a link is followed, so that it stays one.
    suffix : str
        Extension of the hidden file, for a destination that has none.
    overwrite : bool
        Whether a file that is already there may be replaced.
    """

    def __init__(self, path: Path, suffix: str, *, overwrite: bool) -> None:
        self.name = str(path)
        self._overwrite = overwrite
        self._final = Path(os.path.realpath(path))
        self._stream: BinaryIO | None = None
        hidden = f".unmuffle-{secrets.token_hex(8)}{self._final.suffix or '.' + suffix}"
        with told_as(self.name):
            self._final.parent.mkdir(parents=True, exist_ok=True)
            self.path = self._final.with_name(hidden)
            # Created at once: a folder that may not be written to is told before any work is done.
            self.path.open("xb").close()

    def open(self) -> BinaryIO:
        """Open the hidden file for an encoder that writes bytes itself."""
        self._stream = self.path.open("wb")
        return self._stream

    def whole(self) -> Path:
        """Close the hidden file, which has all that is to be in it, and return its name."""
        if self._stream is not None:
            self._stream.close()
        return self.path

    def commit(self) -> None:
        """Flush to the disk and take the destination's name."""
        with told_as(self.name):
            self.whole()
            if not self._overwrite:
                refuse_existing(self._final, self.name)
            if self._final.exists():
                shutil.copymode(self._final, self.path)
            # Windows syncs only what is open for writing, and no folders at all.
            _sync(self.path, os.O_RDWR)
            self.path.replace(self._final)
            with contextlib.suppress(OSError):
                _sync(self._final.parent, os.O_RDONLY)

    def abort(self) -> None:
        """Remove the hidden file; the destination was never touched."""
        with contextlib.suppress(OSError):
            # Closing flushes, which fails again on a full disk.
            if self._stream is not None:
                self._stream.close()
        with contextlib.suppress(OSError):
            self.path.unlink()


class StreamTarget:
    """A stream that is written as the audio comes.

    Parameters
    ----------
    stream : BinaryIO
        Opened for writing.
    name : str
        What to call it in messages.
    owned : bool
        Whether it is closed at the end.
    can_go_back : bool
        Whether sizes can be filled in at the end.
    """

    def __init__(self, stream: BinaryIO, name: str, *, owned: bool, can_go_back: bool) -> None:
        self.can_go_back = can_go_back
        self.stream = stream
        self.name = name
        self._owned = owned

    def whole(self) -> None:
        """Return nothing: what was written has gone."""

    def commit(self) -> None:
        """Hand on what is still buffered."""
        with told_as(self.name):
            self.stream.flush()
            if self._owned:
                self.stream.close()

    def abort(self) -> None:
        """Close it; what was written has gone."""
        if self._owned:
            with contextlib.suppress(OSError):
                self.stream.close()


class CopiedFile:
    """A temporary file that is copied into a stream at the end, for kinds that are written back and forth."""

    def __init__(self, target: StreamTarget, suffix: str) -> None:
        self.name = target.name
        self._target = target
        self._folder = tempfile.TemporaryDirectory(prefix="unmuffle-")
        self.path = Path(self._folder.name) / f"audio.{suffix}"

    def whole(self) -> Path:
        """Return the name of the temporary file."""
        return self.path

    def commit(self) -> None:
        """Copy the file into the stream."""
        with told_as(self.name), self.path.open("rb") as stored:
            shutil.copyfileobj(stored, self._target.stream, _COPY_BYTES)
        self._target.commit()
        self._folder.cleanup()

    def abort(self) -> None:
        """Remove the file; the stream was not touched."""
        self._target.abort()
        self._folder.cleanup()


Target: TypeAlias = "AtomicFile | StreamTarget | CopiedFile"


def refuse_existing(path: Path, name: str) -> None:
    """Raise `OutputExistsError` when there is a file of that name."""
    if path.exists():
        raise OutputExistsError(f"{name} already exists: use --overwrite (in Python overwrite=True) to replace it")


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
