"""Opening what is to be read: a path, bytes, a file object or standard input."""

from __future__ import annotations

import io
import os
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

from unmuffle.errors import AudioFileError
from unmuffle.signal.files.sniff import HEAD_BYTES

_COPY_BYTES = 1 << 20

SourceLike: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO"


class PeekedStream:
    """A stream that cannot go back, with the bytes that were already looked at put in front again."""

    def __init__(self, stream: BinaryIO, head: bytes) -> None:
        self._stream = stream
        self._head = head

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes; fewer only at the end."""
        if size < 0:
            head, self._head = self._head, b""
            return head + self._stream.read()
        head, self._head = self._head[:size], self._head[size:]
        return head + read_up_to(self._stream, size - len(head))

    def close(self) -> None:
        """Close the stream behind."""
        self._stream.close()


@dataclass
class Source:
    """An opened source.

    Attributes
    ----------
    name : str
        What to call it in messages.
    stream : BinaryIO or PeekedStream
        Its bytes, at their beginning.
    head : bytes
        The first bytes, for recognising what it is.
    path : Path or None
        Where it is, for a regular file.
    seekable : bool
        Whether the stream can go back.
    owned : bool
        Whether closing it is the reader's business.
    """

    name: str
    stream: BinaryIO | PeekedStream
    head: bytes
    path: Path | None
    seekable: bool
    owned: bool

    def rewind(self) -> None:
        """Go back to the beginning, where that is possible."""
        if self.seekable:
            cast("BinaryIO", self.stream).seek(0)

    def close(self) -> None:
        """Close what was opened here; a caller's own stream is left open."""
        if self.owned:
            self.stream.close()

    def size(self) -> int | None:
        """Size in bytes; None for a stream that cannot go back."""
        if not self.seekable:
            return None
        stream = cast("BinaryIO", self.stream)
        here = stream.tell()
        end = stream.seek(0, os.SEEK_END)
        stream.seek(here)
        return end


def open_source(source: SourceLike) -> Source:
    """Open a path, bytes, a binary file object or ``"-"`` (standard input).

    Raises
    ------
    AudioFileError
        When it is missing, a folder, empty, or may not be read.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _from_stream(io.BytesIO(source), "the given bytes", owned=True)
    if isinstance(source, str) and source == "-":
        return _from_stream(sys.stdin.buffer, "standard input", owned=False)
    if isinstance(source, (str, os.PathLike)):
        return _from_path(Path(source))
    if isinstance(cast("object", source), io.TextIOBase):
        raise AudioFileError("the given stream is opened as text: open it in binary mode")
    if not hasattr(source, "read"):
        raise AudioFileError(f"cannot read from {type(source).__name__}: give a path, bytes or a binary file object")
    name = getattr(source, "name", None)
    return _from_stream(source, name if isinstance(name, str) else "the given stream", owned=False)


def read_up_to(stream: BinaryIO | PeekedStream, size: int) -> bytes:
    """Read `size` bytes; fewer only at the end of the stream, though a pipe may hand them out in pieces."""
    data = stream.read(size)
    if len(data) == size or not data:
        return data or b""
    pieces = [data]
    missing = size - len(data)
    while missing > 0:
        data = stream.read(missing)
        if not data:
            break
        pieces.append(data)
        missing -= len(data)
    return b"".join(pieces)


def _from_path(path: Path) -> Source:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise AudioFileError(f"{path} is a folder: name a file in it, or run over the whole folder")
        stream = path.open("rb")
    except FileNotFoundError as error:
        raise AudioFileError(f"{path} does not exist: check the spelling and the folder") from error
    except PermissionError as error:
        raise AudioFileError(f"{path} may not be read: you lack the permission") from error
    except (OSError, ValueError) as error:
        raise AudioFileError(f"{path} cannot be opened: {error}") from error
    return _from_stream(stream, str(path), owned=True, path=path if stat.S_ISREG(mode) else None)


def _from_stream(stream: BinaryIO, name: str, *, owned: bool, path: Path | None = None) -> Source:
    seekable = bool(getattr(stream, "seekable", lambda: False)())
    try:
        if seekable and stream.tell() != 0:
            stream.seek(0)
        head = read_up_to(stream, HEAD_BYTES)
    except OSError as error:
        raise AudioFileError(f"{name} cannot be read: {error}") from error
    if not head:
        if owned:
            stream.close()
        raise AudioFileError(f"{name} is empty (0 bytes): there is nothing to read")
    if seekable:
        stream.seek(0)
        return Source(name, stream, head, path, True, owned)
    peeked = PeekedStream(stream, head)
    if head[4:8] == b"ftyp":
        # The index of an MP4 may lie at its end, where a pipe cannot be asked to go.
        return Source(name, _stored(peeked, name), head, None, True, True)
    return Source(name, peeked, head, None, False, owned)


def _stored(stream: PeekedStream, name: str) -> BinaryIO:
    """Copy a stream into a file without a name, which is gone when it is closed."""
    stored = tempfile.TemporaryFile()  # noqa: SIM115 (the source that is made of it closes it)
    try:
        while data := stream.read(_COPY_BYTES):
            stored.write(data)
        stored.seek(0)
    except OSError as error:
        stored.close()
        raise AudioFileError(f"{name} cannot be read: {error}") from error
    return cast("BinaryIO", stored)
