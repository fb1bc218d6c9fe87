"""Shards as files: each appears whole, and one that is there already is left if it is what it would be again.

What is there is told by ``shards.jsonl``, a line a shard, which is added when the shard is in place: after a kill, a
shard without its line is written once more, with the same bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from unmuffle.corpus.shard_members import MENDED_BY, Content, Shard
from unmuffle.errors import AudioFileError
from unmuffle.signal.files.new_file import encoded, new_file
from unmuffle.signal.files.targets import told_as

INDEX = "shards.jsonl"

Line = dict[str, Any]


class ShardsWritten:
    """The shards of a folder.

    Parameters
    ----------
    folder : Path
        Of which this process has a lock.

    Attributes
    ----------
    shards, anew, clips : int
        Shards that were put, those of them that were written, and the clips in them.
    """

    def __init__(self, folder: Path) -> None:
        self.anew = 0
        self._folder = folder
        self._before = {line["shard"]: line for line in _lines(folder / INDEX)}
        self._now: dict[str, Line] = {}
        for leftover in folder.rglob(".unmuffle-*.*"):
            leftover.unlink(missing_ok=True)

    @property
    def shards(self) -> int:
        """How many were put."""
        return len(self._now)

    @property
    def clips(self) -> int:
        """How many clips are in them."""
        return sum(line["clips"] for line in self._now.values())

    def put(self, shard: Shard) -> None:
        """Write a shard unless it is there.

        Raises
        ------
        AudioFileError
            If it cannot be made, or not be written.
        """
        wanted, path = shard.fingerprint(), self._folder / shard.name
        line = self._before.get(shard.name)
        if line is None or line["of"] != wanted or line["state"] != _state(path):
            written = _write(shard, path)
            line = {"shard": shard.name, **written, "of": wanted, "state": _state(path)}
            self._add(line)
            self.anew += 1
        self._now[shard.name] = line

    def close(self) -> int:
        """Remove shards of an earlier packing that are no part of this one, and return how many there were."""
        gone = [name for name in self._before if name not in self._now]
        for name in gone:
            (self._folder / name).unlink(missing_ok=True)
        with new_file(self._folder / INDEX) as stream:
            for line in self._now.values():
                stream.write(_as_line(line))
        return len(gone)

    def _add(self, line: Line) -> None:
        path = self._folder / INDEX
        with told_as(str(path)), path.open("ab") as stream:
            # The end of a line that a kill cut short.
            stream.write(b"\n" * (stream.tell() > 0) + _as_line(line))


class _Counted(io.RawIOBase):
    """A file that is written from one end to the other, with its checksum."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.hash = hashlib.sha256()
        self.size = 0

    def write(self, data: Any) -> int:
        self.hash.update(data)
        self.size += len(data)
        return self._stream.write(data)


class _Checked(io.RawIOBase):
    """What a member is read from, with its checksum."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.hash.update(data)
        return data


def _write(shard: Shard, path: Path) -> Line:
    with new_file(path) as stream:
        counted = _Counted(stream)
        clips = 0
        with tarfile.open(fileobj=cast("BinaryIO", counted), mode="w|", format=tarfile.PAX_FORMAT) as archive:
            for content in shard.contents():
                _put(content, archive)
                clips += content.sha256 is not None
    return {"clips": clips, "bytes": counted.size, "sha256": counted.hash.hexdigest()}


def _put(content: Content, archive: tarfile.TarFile) -> None:
    head = tarfile.TarInfo(content.name)
    head.size, head.mode = content.size, 0o644
    checked = _Checked(content.stream)
    archive.addfile(head, cast("BinaryIO", checked))
    if content.sha256 is not None and checked.hash.hexdigest() != content.sha256:
        raise AudioFileError(f"{content.stream.name} is not as the run left it: {MENDED_BY}")


def _state(path: Path) -> list[int]:
    """Return what changes when a file does."""
    try:
        found = path.stat()
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns]


def _lines(path: Path) -> Iterator[Line]:
    """Yield lines that are whole; the last of a name holds."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as stream:
        for text in stream:
            with contextlib.suppress(ValueError):
                line = json.loads(text)
                if {"shard", "clips", "of", "state"} <= line.keys():
                    yield line


def _as_line(line: Line) -> bytes:
    return encoded(json.dumps(line, ensure_ascii=False) + "\n")
