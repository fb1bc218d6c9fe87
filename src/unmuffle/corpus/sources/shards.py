"""Shards of clips in the manner of WebDataset: tar archives in which files of one clip share their name.

Members of a clip stand one after the other: ``talk/0001.flac``, ``talk/0001.json``, ``talk/0001.txt``. Only heads and
small members are read; the audio is read where it lies when its turn comes, so that archives must not be compressed.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

from unmuffle.corpus.clip import Clip, Member, safe_name
from unmuffle.errors import AudioFileError
from unmuffle.signal.files import is_media_name

SHARD_SUFFIX = ".tar"
_MOST_FIELD_BYTES = 1 << 20


def shard_clips(path: Path, suffix: str | None) -> Iterator[Clip]:
    """Yield the clips of a shard, in its order; results go to a folder of its name.

    What a ``.json`` beside the audio holds, and the texts of other small members under their extension, are the clip's
    fields.

    Raises
    ------
    AudioFileError
        If it cannot be read, is compressed, or is no tar archive.
    """
    try:
        # Without a mode for compression: a member of a compressed archive has no place of its own.
        with tarfile.open(path, "r:") as archive:
            for stem, members in groupby((item for item in archive if item.isfile()), _stem):
                yield from _clips_of(path, archive, stem, list(members), suffix)
    except (OSError, tarfile.TarError) as error:
        reason = getattr(error, "strerror", None) or "it is no tar archive, is damaged, or is compressed: unpack it"
        raise AudioFileError(f"{path} cannot be read: {reason}") from error


def _stem(item: tarfile.TarInfo) -> str:
    """Return what members of one clip share: all before the first dot of the name."""
    path = PurePosixPath(item.name)
    return str(path.with_name(path.name.partition(".")[0] or path.name))


def _clips_of(
    path: Path, archive: tarfile.TarFile, stem: str, members: list[tarfile.TarInfo], suffix: str | None
) -> Iterator[Clip]:
    fields: dict[str, Any] = {}
    for item in members:
        if not is_media_name(PurePosixPath(item.name)) and item.size <= _MOST_FIELD_BYTES:
            fields |= _field(item.name, archive.extractfile(item).read())  # type: ignore[union-attr]  # it is a file
    for item in members:
        if is_media_name(PurePosixPath(item.name)):
            place = PurePosixPath(path.stem) / safe_name(PurePosixPath(item.name))
            member = Member(item.name, item.offset_data, item.size)
            yield Clip(str(place), str(path), safe_name(place, suffix), {"__key__": stem, **fields}, member=member)


def _field(name: str, content: bytes) -> dict[str, Any]:
    kind = PurePosixPath(name).name.partition(".")[2]
    text = content.decode(errors="replace")
    if kind == "json":
        try:
            told = json.loads(text)
        except ValueError:
            return {kind: text}
        return told if isinstance(told, dict) else {kind: told}
    return {kind: text.strip()}
