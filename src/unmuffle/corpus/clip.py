"""One clip of a corpus: where it comes from, what is known of it, and where its result goes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

_UNSAFE = re.compile(r'[\x00-\x1f<>:"|?*\\]')
"""What some file system or other refuses in a name."""


@dataclass(frozen=True)
class Clip:
    """A clip as its source tells of it.

    Attributes
    ----------
    key : str
        Its name within the corpus; no two clips have the same.
    source : str
        Path of the audio.
    output : str
        Path of the result within the destination, with slashes.
    fields : mapping
        Everything else the source says of it.
    span_s : (float, float), optional
        Start and end of the clip within the audio; all of it unless given.
    """

    key: str
    source: str
    output: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    span_s: tuple[float, float] | None = None

    @property
    def stamp(self) -> str:
        """What changes when the audio or the span changes: size, time of change, span; empty without a file."""
        try:
            found = Path(self.source).stat()
        except (OSError, ValueError):
            return ""
        return f"{found.st_size} {found.st_mtime_ns} {self.span_s}"


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
    named = PurePosixPath(*(_UNSAFE.sub("_", part) for part in inside.parts))
    return str(named if suffix is None else named.with_suffix("." + suffix.lstrip(".")))
