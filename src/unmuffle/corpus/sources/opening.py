"""Which kind of source a corpus is, and its clips one after the other, however many there are."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath

from unmuffle.corpus.clip import Clip, inner_path, safe_name
from unmuffle.corpus.plan import walk_media
from unmuffle.corpus.remote import find_urls, is_url
from unmuffle.corpus.sources.manifest import MANIFEST_SUFFIXES, is_manifest, manifest_clips
from unmuffle.corpus.sources.shards import SHARD_SUFFIX, shard_clips
from unmuffle.errors import AudioFileError, InvalidParameterError

_RESULTS = "manifest"
_FOLDERS = 4096
"""Of which the places are kept in mind."""


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
        If a row of a manifest names no audio, or a result would take the place of its source.
    """
    if not isinstance(source, (str, os.PathLike)):
        yield from source
    elif is_url(str(source)):
        yield from _some(_url_clips(str(source), suffix), f"{source} holds no audio or video file")
    else:
        _refuse_overwriting(Path(source), destination)
        yield from _elsewhere(_local_clips(Path(source), destination, suffix), destination)


def _local_clips(path: Path, destination: Path, suffix: str | None) -> Iterator[Clip]:
    if path.is_dir():
        # Hidden files are what other programs, or a run that was killed, left.
        found = (file for file in walk_media(path, str(destination)) if not file.name.startswith("."))
        yield from _some(
            _file_clips(found, path, suffix),
            f"the folder {path} holds no audio or video file (shards are named by a pattern, as in {path / '*.tar'})",
        )
    elif path.is_file():
        yield from _of_file(path, path.parent, suffix)
    elif glob.has_magic(str(path)):
        base = Path(*_before_magic(path))
        names = glob.iglob(str(path), recursive=True)  # noqa: PTH207 (Path.glob takes no absolute pattern)
        files = _once(Path(name) for name in names if Path(name).is_file())
        files = [file for file in files if not _is_below(file, destination)]
        clips = (clip for file in files for clip in _of_file(file, base, suffix))
        yield from _some(clips, f"nothing matches the pattern {path}")
    else:
        raise AudioFileError(
            f"{path} does not exist: give a folder, a pattern, shards (.tar), or a manifest "
            f"({', '.join(MANIFEST_SUFFIXES)})"
        )


def _refuse_overwriting(source: Path, destination: Path) -> None:
    """Refuse a destination that is the corpus, or holds the manifest where that of the results goes."""
    folder = source if source.is_dir() else Path(*_before_magic(source))
    if folder.is_dir() and _real(folder) == _real(destination):
        raise InvalidParameterError(f"{destination} is the corpus itself: give another destination")
    if source.stem == _RESULTS and _real(source.parent) == _real(destination):
        raise InvalidParameterError(
            f"the manifest of the results would take the place of {source}: give another folder"
        )


def _elsewhere(clips: Iterator[Clip], destination: Path) -> Iterator[Clip]:
    """Pass clips on whose results do not take the place of what they are made of."""
    folder = _real(destination)
    real = lru_cache(_FOLDERS)(_real)
    for clip in clips:
        source = Path(clip.source)
        if real(source.parent) / source.name == folder / clip.output:
            raise InvalidParameterError(f"the result of {source} would take its place: give another destination")
        yield clip


def _once(files: Iterable[Path]) -> list[Path]:
    """Return files in order, without those that are reached again by a link to a folder, as in a loop of them."""
    real = lru_cache(_FOLDERS)(_real)
    found: dict[Path, Path] = {}
    for file in sorted(files, key=lambda file: (len(file.parts), file)):
        found.setdefault(real(file.parent) / file.name, file)
    return sorted(found.values())


def _is_below(file: Path, folder: Path) -> bool:
    return Path(os.path.abspath(file)).is_relative_to(os.path.abspath(folder))  # noqa: PTH100 (without following links)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _of_file(path: Path, base: Path, suffix: str | None) -> Iterator[Clip]:
    """Yield the clips of a manifest or a shard, or a file as the one clip that it is."""
    if is_manifest(path):
        yield from _some(manifest_clips(path, suffix), f"the manifest {path} holds no row")
    elif path.suffix.lower() == SHARD_SUFFIX:
        yield from _some(
            shard_clips(path, inner_path(path.absolute(), base).with_suffix(""), suffix),
            f"the archive {path} holds no audio or video file",
        )
    else:
        yield from _file_clips([path], base, suffix)


def _url_clips(folder: str, suffix: str | None) -> Iterator[Clip]:
    for url, place, stamp in find_urls(folder):
        yield Clip(place, url, safe_name(PurePosixPath(place), suffix), stamp=stamp)


def _file_clips(files: Iterable[Path], base: Path, suffix: str | None) -> Iterator[Clip]:
    for file in files:
        place = inner_path(file.absolute(), base)
        yield Clip(str(place), str(file.absolute()), safe_name(place, suffix))


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
