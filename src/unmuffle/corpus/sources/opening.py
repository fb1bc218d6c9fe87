"""Which kind of source a corpus is, and its clips one after the other, however many there are."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from unmuffle.corpus.clip import Clip, output_name
from unmuffle.corpus.plan import walk_media
from unmuffle.corpus.sources.manifest import MANIFEST_SUFFIXES, manifest_clips
from unmuffle.errors import AudioFileError


def clips_of(
    source: str | os.PathLike[str] | Iterable[Clip], destination: Path, *, suffix: str | None = None
) -> Iterator[Clip]:
    """Yield the clips of a corpus.

    Parameters
    ----------
    source : path, pattern or iterable of Clip
        A folder, searched through all levels; a pattern such as ``"talks/**/*.wav"``; or a manifest: JSON lines, CSV
        or Parquet.
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
    path = Path(source)
    if path.is_dir():
        found = walk_media(path, str(destination))
        yield from _some(_file_clips(found, path, suffix), f"the folder {path} holds no audio or video file")
    elif path.suffix.lower() in MANIFEST_SUFFIXES:
        yield from _some(manifest_clips(path, suffix), f"the manifest {path} holds no row")
    elif path.is_file():
        yield from _file_clips([path], path.parent, suffix)
    elif glob.has_magic(str(source)):
        base = Path(*_before_magic(path))
        names = glob.iglob(str(source), recursive=True)  # noqa: PTH207 (Path.glob takes no absolute pattern)
        files = sorted(Path(name) for name in names if Path(name).is_file())
        yield from _some(_file_clips(files, base, suffix), f"nothing matches the pattern {source}")
    else:
        raise AudioFileError(
            f"{source} does not exist: give a folder, a pattern, or a manifest ({', '.join(MANIFEST_SUFFIXES)})"
        )


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
