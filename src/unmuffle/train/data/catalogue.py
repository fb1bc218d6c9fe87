"""Finding recordings: a folder with an ``index.csv``, or any folder of audio.

Columns of an ``index.csv`` that are used where they are there: ``file`` (required), ``talker``, ``source``, ``rate``
(of the recording itself, whatever its file is stored at), ``floor_db`` (from loud to quiet frames of speech),
``licence``, ``split`` (rows marked ``eval`` are left out). In a folder without one, each sub-folder is one talker or
one kind of noise, and a file that lies in no sub-folder stands for itself.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from unmuffle.errors import AudioFileError
from unmuffle.train.data.fitness import weight_of_floor

SUFFIXES = frozenset([".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".aac", ".aiff", ".aif", ".wv", ".webm"])
TRAIN, VALIDATION = "train", "validation"


@dataclass(frozen=True)
class Recording:
    """One file of a corpus.

    Attributes
    ----------
    path : Path
        Where it lies.
    group : str
        Talker of speech, recording of noise: what must not be in two splits.
    source : str
        Corpus it comes from.
    rate : int
        True sample rate in Hz; 0 where only the file can tell.
    weight : float, optional
        How readily it is drawn, from 0 to 1; None where nobody has said.
    licence : str
        Under which it may be used; empty where nobody has said.
    """

    path: Path
    group: str
    source: str
    rate: int
    weight: float | None = None
    licence: str = ""


def find_recordings(folder: Path) -> list[Recording]:
    """Return the recordings of a folder in a fixed order.

    Raises
    ------
    AudioFileError
        If the folder does not exist or holds no audio.
    """
    if not folder.is_dir():
        raise AudioFileError(f"{folder} is not a folder: give one with audio files or with an index.csv")
    index = folder / "index.csv"
    found = list(_indexed(index) if index.is_file() else _walked(folder))
    if not found:
        raise AudioFileError(f"{folder} holds no audio to train on: put files in it, or rows into its index.csv")
    return found


def split_of(group: str, validation_share: float) -> str:
    """Return ``train`` or ``validation`` for a group, the same for ever: the group's name decides."""
    number = int.from_bytes(hashlib.blake2b(group.encode(), digest_size=4).digest(), "big")
    return VALIDATION if number < validation_share * 2**32 else TRAIN


def _indexed(index: Path) -> Iterator[Recording]:
    with index.open(newline="", encoding="utf-8") as lines:
        rows = csv.DictReader(lines)
        if "file" not in (rows.fieldnames or ()):
            raise AudioFileError(f"{index} has no column 'file': its first line must name the columns")
        for row in rows:
            if row.get("split") == "eval":
                continue
            name = row["file"]
            yield Recording(
                index.parent / name,
                row.get("talker") or name,
                row.get("source") or index.parent.name,
                int(float(row.get("rate") or 0)),
                weight_of_floor(float(row["floor_db"])) if row.get("floor_db") else None,
                row.get("licence") or "",
            )


def _walked(folder: Path) -> Iterator[Recording]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            inside = path.relative_to(folder)
            yield Recording(path, inside.parts[0], folder.name, 0)
