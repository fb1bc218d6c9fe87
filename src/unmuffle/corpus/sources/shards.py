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
from typing import IO, Any

from unmuffle.corpus.clip import Clip, Member, safe_name
from unmuffle.errors import AudioFileError
from unmuffle.signal.files import is_media_name

SHARD_SUFFIX = ".tar"
_MOST_FIELD_BYTES = 1 << 20


def shard_clips(path: Path, place: PurePosixPath, suffix: str | None) -> Iterator[Clip]:
    """Yield the clips of a shard, in its order; results go to the folder ``place`` of the destination.

    What a ``.json`` beside the audio holds, and the texts of other small members under their extension, are the clip's
    fields.

    Raises
    ------
    AudioFileError
        If it cannot be read, is compressed, or is no tar archive.
    """
    for stem, members, archive in samples(path):
        fields: dict[str, Any] = {}
        for item in members:
            if not is_clip(item) and item.size <= _MOST_FIELD_BYTES:
                fields |= _field(item.name, content_of(item, archive).read())
        for item in filter(is_clip, members):
            output = safe_name(place / safe_name(PurePosixPath(item.name)), suffix)
            member = Member(item.name, item.offset_data, item.size)
            yield Clip(str(place / item.name), str(path.absolute()), output, {"__key__": stem, **fields}, member=member)


def samples(path: Path) -> Iterator[tuple[str, list[tarfile.TarInfo], tarfile.TarFile]]:
    """Yield what files of one clip share in their names, these files, and the archive that they are read from.

    Raises
    ------
    AudioFileError
        If it cannot be read, is compressed, or is no tar archive.
    """
    try:
        # Without a mode for compression: a member of a compressed archive has no place of its own.
        with tarfile.open(path, "r:") as archive:
            for stem, members in groupby(_files(archive), _stem):
                yield stem, list(members), archive
    except (OSError, tarfile.TarError) as error:
        reason = getattr(error, "strerror", None) or "it is no tar archive, is damaged, or is compressed: unpack it"
        raise AudioFileError(f"{path} cannot be read: {reason}") from error


def is_clip(item: tarfile.TarInfo) -> bool:
    """Return whether a member is audio; what is hidden, as by other systems' archivers, is not."""
    name = PurePosixPath(item.name)
    return is_media_name(name) and not name.name.startswith(".")


def content_of(item: tarfile.TarInfo, archive: tarfile.TarFile) -> IO[bytes]:
    """Open a member that is a file."""
    opened = archive.extractfile(item)
    if opened is None:
        raise AudioFileError(f"{item.name} in an archive is no file")
    return opened


def _files(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for item in archive:
        if item.isfile():
            yield item
        # It would keep the head of every member.
        archive.members.clear()  # type: ignore[attr-defined]  # it is there, and webdataset does the same


def _stem(item: tarfile.TarInfo) -> str:
    """Return what members of one clip share: all before the first dot of the name."""
    path = PurePosixPath(item.name)
    return str(path.with_name(path.name.partition(".")[0] or path.name))


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
