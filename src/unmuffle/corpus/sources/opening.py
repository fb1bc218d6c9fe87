"""Which kind of source a corpus is, and its clips one after the other, however many there are."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from unmuffle.corpus.clip import Clip, output_name, safe_name
from unmuffle.corpus.plan import walk_media
from unmuffle.corpus.remote import find_urls, is_url
from unmuffle.corpus.sources.manifest import MANIFEST_SUFFIXES, is_manifest, manifest_clips
from unmuffle.corpus.sources.shards import SHARD_SUFFIX, shard_clips
from unmuffle.errors import AudioFileError


def clips_of(
    source: str | os.PathLike[str] | Iterable[Clip], destination: Path, *, suffix: str | None = None
) -> Iterator[Clip]:
    """Yield the clips of a corpus.

    Parameters
    ----------
    source : path, pattern or iterable of Clip
        A folder or the URL of one, searched through all levels; a pattern such as ``"talks/**/*.wav"``; shards in
        the manner of WebDataset (``.tar``); or a manifest: JSON lines, a Lhotse cut set, CSV or Parquet.
    destination : Path
        Where results go; what lies there is no part of the corpus.
    suffix : str, optional
        Extension of the results; each its own unless given.

    Raises
    ------
    AudioFileError
        If there is no such thing, or nothing in it.
    InvalidParameterError
        If a row of a manifest names no audio.
    """
    if not isinstance(source, (str, os.PathLike)):
        yield from source
        return
    if is_url(str(source)):
        yield from _some(_url_clips(str(source), suffix), f"{source} holds no audio or video file")
    else:
        yield from _local_clips(Path(source), destination, suffix)


def _local_clips(path: Path, destination: Path, suffix: str | None) -> Iterator[Clip]:
    if path.is_dir():
        found = walk_media(path, str(destination))
        yield from _some(_file_clips(found, path, suffix), f"the folder {path} holds no audio or video file")
    elif path.is_file():
        yield from _of_file(path, path.parent, suffix)
    elif glob.has_magic(str(path)):
        base = Path(*_before_magic(path))
        names = glob.iglob(str(path), recursive=True)  # noqa: PTH207 (Path.glob takes no absolute pattern)
        files = sorted(Path(name) for name in names if Path(name).is_file())
        clips = (clip for file in files for clip in _of_file(file, base, suffix))
        yield from _some(clips, f"nothing matches the pattern {path}")
    else:
        raise AudioFileError(
            f"{path} does not exist: give a folder, a pattern, shards (.tar), or a manifest "
            f"({', '.join(MANIFEST_SUFFIXES)})"
        )


def _of_file(path: Path, base: Path, suffix: str | None) -> Iterator[Clip]:
    """Yield the clips of a manifest or a shard, or a file as the one clip that it is."""
    if is_manifest(path):
        yield from _some(manifest_clips(path, suffix), f"the manifest {path} holds no row")
    elif path.suffix.lower() == SHARD_SUFFIX:
        yield from _some(shard_clips(path, suffix), f"the archive {path} holds no audio or video file")
    else:
        yield from _file_clips([path], base, suffix)


def _url_clips(folder: str, suffix: str | None) -> Iterator[Clip]:
    for url, place, stamp in find_urls(folder):
        name = safe_name(PurePosixPath(place))
        yield Clip(name, url, safe_name(PurePosixPath(place), suffix), stamp=stamp)


def _file_clips(files: Iterable[Path], base: Path, suffix: str | None) -> Iterator[Clip]:
    for file in files:
        yield Clip(output_name(file.absolute(), base), str(file), output_name(file.absolute(), base, suffix))


def _before_magic(path: Path) -> Iterator[str]:
    for part in path.parts:
        if glob.has_magic(part):
            return
        yield part


def _some(clips: Iterator[Clip], otherwise: str) -> Iterator[Clip]:
    """Pass clips on, or raise ``AudioFileError`` if there is none."""
    first = next(clips, None)
    if first is None:
        raise AudioFileError(otherwise)
    yield first
    yield from clips
