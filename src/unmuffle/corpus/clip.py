"""One clip of a corpus: where it comes from, what is known of it, and where its result goes."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

_UNSAFE = re.compile(r'[\x00-\x1f\x7f\ud800-\udfff<>:"|?*\\]|[. ]$')
"""What some file system or other refuses in a name, blanks and dots at its end among it."""
_OWN_FOLDER = ".unmuffle"
_MOST_NAME_BYTES = 255
_MOST_SUFFIX_BYTES = 32
"""What follows the last dot is no extension if it is longer."""


class Member(NamedTuple):
    """A file within an archive that is not compressed: its name, and where its bytes lie."""

    name: str
    offset: int
    size: int


@dataclass(frozen=True)
class Clip:
    """A clip as its source tells of it.

    Attributes
    ----------
    key : str
        Its name within the corpus; no two clips have the same.
    source : str
        Path or URL of the audio, or of the archive that it is in.
    output : str
        Path of the result within the destination, with slashes.
    fields : mapping
        Everything else the source says of it.
    span_s : (float, float), optional
        Start and end of the clip within the audio; all of it unless given.
    member : Member, optional
        Where in the archive it is.
    stamp : str
        What changes when the audio does, where that is not told by the size and time of a file.
    """

    key: str
    source: str
    output: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    span_s: tuple[float, float] | None = None
    member: Member | None = None
    stamp: str = ""

    @property
    def mark(self) -> str:
        """What changes when the audio or the part of it changes."""
        return f"{self.source_stamp} {self.span_s} {self.member}"

    @property
    def source_stamp(self) -> str:
        """What changes when the file changes that the clip is, or is a part of."""
        return self.stamp or _file_stamp(self.source)


def inner_path(path: str | os.PathLike[str], base: Path) -> PurePosixPath:
    """Return where a file lies below ``base``, or below the root if it does not.

    >>> inner_path("../other/talk.wav", Path("/data/set"))
    PurePosixPath('data/other/talk.wav')
    """
    whole = Path(os.path.normpath(base.absolute() / path))
    try:
        inside = whole.relative_to(os.path.normpath(base.absolute()))
    except ValueError:
        inside = whole.relative_to(whole.anchor)
    return PurePosixPath(*inside.parts)


def output_name(path: str | os.PathLike[str], base: Path, suffix: str | None = None) -> str:
    """Return where the result of a file goes within a destination: its place below ``base``, if it lies there.

    >>> output_name("/data/set/a/talk.mp3", Path("/data/set"), "flac")
    'a/talk.flac'
    """
    return safe_name(inner_path(path, base), suffix)


def safe_name(path: PurePosixPath, suffix: str | None = None) -> str:
    """Return a relative path that every file system takes and that leads nowhere else, with another extension if asked.

    >>> safe_name(PurePosixPath("../a:b/c.wav"), "flac")
    'a_b/c.flac'
    """
    parts = [_UNSAFE.sub("_", part) for part in path.parts if part not in ("..", "/")]
    named = PurePosixPath(*parts) if parts and parts[0] != _OWN_FOLDER else PurePosixPath("_", *parts)
    if suffix is not None:
        named = named.with_name(_stem(named) + "." + suffix.lstrip("."))
    return str(named) if len(_bytes(named.name)) <= _MOST_NAME_BYTES else marked_name(str(named), str(path))


def marked_name(path: str, key: str) -> str:
    """Return a path with a mark of a key in its name, of no more bytes than a file system takes.

    >>> marked_name("a/talk.wav", "a/talk.wav")
    'a/talk~0d29720f03c4.wav'
    """
    place = PurePosixPath(path)
    stem = _stem(place)
    suffix = place.name[len(stem) :]
    tail = "~" + hashlib.sha256(_bytes(key)).hexdigest()[:12] + suffix
    room = _MOST_NAME_BYTES - len(_bytes(tail))
    return str(place.with_name(_bytes(stem)[:room].decode("utf-8", "ignore") + tail))


def _stem(path: PurePosixPath) -> str:
    return path.stem if len(_bytes(path.suffix)) <= _MOST_SUFFIX_BYTES else path.name


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _file_stamp(path: str) -> str:
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return ""
    return f"{found.st_size} {found.st_mtime_ns}"
