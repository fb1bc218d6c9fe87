"""The file that the last span was cut from, left open: the next span is mostly of the same file, and further on in it.

A manifest may cut an hour into a thousand clips. Where a format cannot jump to a sample, the hour is then decoded once
by each worker, not from its start for each clip; and what lies behind a URL is fetched once.
"""

from __future__ import annotations

import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from unmuffle.corpus.clip import Clip, Member
from unmuffle.corpus.remote import is_url, open_url
from unmuffle.errors import AudioFileError
from unmuffle.signal.files import AudioReader, open_reader
from unmuffle.signal.files.targets import told_as

_COPY_BYTES = 1 << 20


@contextmanager
def reader_before(clip: Clip, start_s: float, folder: Path) -> Iterator[AudioReader]:
    """Give a reader of the file that a clip is a part of, which has not gone beyond a time.

    Parameters
    ----------
    clip : Clip
    start_s : float
    folder : Path
        For a copy of what has no path of its own; it stays there until another source comes.

    Raises
    ------
    AudioFileError
        If it cannot be read.
    """
    name = f"{clip.source} {clip.source_stamp} {clip.member}"
    opened = _LAST.take()
    if opened is not None and opened.name != name:
        opened.close()
        opened = None
    if opened is None:
        opened = _opened(clip, name, folder)
    elif opened.reader.position > start_s * opened.reader.info.sample_rate:
        opened.reader.close()
        opened.reader = open_reader(opened.path)
    try:
        yield opened.reader
    except BaseException:
        opened.close()
        raise
    _LAST.leave(opened)


def copy_source(clip: Clip, copied: Path) -> None:
    """Copy what lies in an archive or behind a URL.

    Raises
    ------
    AudioFileError
        If it cannot be read, or the copy not be written.
    """
    try:
        with _source(clip.source) as source, told_as(str(copied)), copied.open("wb") as target:
            if clip.member is None:
                shutil.copyfileobj(source, target, _COPY_BYTES)
            else:
                _copy_member(clip, clip.member, source, target)
    except OSError as error:
        raise AudioFileError(f"{clip.source} cannot be read: {error.strerror or error}") from error


def close_last() -> None:
    """Close what was left open; where a process does nothing but clips, its end does it."""
    left = _LAST.take()
    if left is not None:
        left.close()


@dataclass
class _Opened:
    name: str
    path: Path
    reader: AudioReader
    copied: bool

    def close(self) -> None:
        self.reader.close()
        if self.copied:
            self.path.unlink(missing_ok=True)


class _Last:
    """Holds what was left, for whichever thread comes next."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: _Opened | None = None

    def take(self) -> _Opened | None:
        with self._lock:
            left, self._left = self._left, None
        return left

    def leave(self, opened: _Opened) -> None:
        with self._lock:
            before, self._left = self._left, opened
        if before is not None:
            before.close()


_LAST = _Last()


def _opened(clip: Clip, name: str, folder: Path) -> _Opened:
    copied = clip.member is not None or is_url(clip.source)
    path = Path(clip.source)
    if copied:
        path = folder / f"{secrets.token_hex(12)}.whole{PurePosixPath(clip.source).suffix.lower()}"
        copy_source(clip, path)
    try:
        return _Opened(name, path, open_reader(path), copied)
    except BaseException:
        if copied:
            path.unlink(missing_ok=True)
        raise


def _source(name: str) -> BinaryIO:
    return open_url(name) if is_url(name) else Path(name).open("rb")


def _copy_member(clip: Clip, member: Member, archive: BinaryIO, target: BinaryIO) -> None:
    archive.seek(member.offset)
    left = member.size
    while left and (block := archive.read(min(left, _COPY_BYTES))):
        target.write(block)
        left -= len(block)
    if left:
        raise AudioFileError(f"{clip.source} ends within {member.name}: copy the archive again")
