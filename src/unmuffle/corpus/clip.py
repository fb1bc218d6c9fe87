"""One clip of a corpus: where it comes from, what is known of it, and where its result goes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

_UNSAFE = re.compile(r'[\x00-\x1f<>:"|?*\\]')
"""What some file system or other refuses in a name."""


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
        return f"{self.stamp or _file_stamp(self.source)} {self.span_s} {self.member}"


def output_name(path: str | os.PathLike[str], base: Path, suffix: str | None = None) -> str:
    """Return where the result of a file goes within a destination: its place below ``base``, if it lies there.

    >>> output_name("/data/set/a/talk.mp3", Path("/data/set"), "flac")
    'a/talk.flac'
    >>> output_name("../other/talk.wav", Path("/data/set"))
    'data/other/talk.wav'
    """
    whole = Path(os.path.normpath(base.absolute() / path))
    try:
        inside = whole.relative_to(os.path.normpath(base.absolute()))
    except ValueError:
        inside = whole.relative_to(whole.anchor)
    return safe_name(PurePosixPath(*inside.parts), suffix)


def safe_name(path: PurePosixPath, suffix: str | None = None) -> str:
    """Return a relative path that every file system takes and that leads nowhere else, with another extension if asked.

    >>> safe_name(PurePosixPath("../a:b/c.wav"), "flac")
    'a_b/c.flac'
    """
    named = PurePosixPath(*(_UNSAFE.sub("_", part) for part in path.parts if part not in ("..", "/")))
    return str(named if suffix is None else named.with_suffix("." + suffix.lstrip(".")))


def _file_stamp(path: str) -> str:
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return ""
    return f"{found.st_size} {found.st_mtime_ns}"
