"""The noises that speech is mixed with, by type, and the stretch of one that a clip gets."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.measure.evaluation.mix_sources import length_s, looped, read_stretch
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.files import is_media_name

_SURPLUS_S = 0.1
_LEAST_S = 0.1


@dataclass(frozen=True)
class NoiseType:
    """Noises of a kind.

    Attributes
    ----------
    name : str
        What tables call it.
    files : tuple of Path
        Recordings of it.
    """

    name: str
    files: tuple[Path, ...]


def find_noises(given: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[NoiseType]:
    """Return the types of noise in files and folders.

    A file is a type of its own. A folder is one type, if the recordings lie in it, and otherwise each folder in it is
    one, with all that lies below that.

    Raises
    ------
    AudioFileError
        If there is no such file or folder, or no recording in it.
    InvalidParameterError
        If two types have the same name.
    """
    places = [given] if isinstance(given, (str, os.PathLike)) else list(given)
    found = [noise for place in places for noise in _types_at(Path(place))]
    names = [noise.name for noise in found]
    for name in names:
        if names.count(name) > 1:
            raise InvalidParameterError(f"two types of noise are called {name!r}: rename one of the folders")
    return found


def _types_at(place: Path) -> list[NoiseType]:
    if not place.exists():
        raise AudioFileError(f"{place} does not exist: give a recording of noise, or a folder of them")
    if place.is_file():
        return [NoiseType(place.stem, (place,))]
    own = sorted(path for path in place.iterdir() if _is_recording(path))
    if own:
        return [NoiseType(place.resolve().name, tuple(own))]
    folders = sorted(path for path in place.iterdir() if path.is_dir())
    below = {path.name: tuple(sorted(filter(_is_recording, path.rglob("*")))) for path in folders}
    found = [NoiseType(name, files) for name, files in below.items() if files]
    if not found:
        raise AudioFileError(f"{place} is empty: there is no recording of noise in it")
    return found


def _is_recording(path: Path) -> bool:
    return path.is_file() and is_media_name(path)


def as_noises(given: Mapping[str, Sequence[str | os.PathLike[str]]]) -> list[NoiseType]:
    """Return types of noise from a mapping of names to recordings."""
    return [NoiseType(name, tuple(Path(file) for file in files)) for name, files in given.items()]


def draw_noise(noise: NoiseType, clip: str, samples: int, sample_rate: int, seed: int) -> FloatArray:
    """Return the stretch of noise that a clip gets, float32 [samples]: the same at every ratio, and in every run.

    It hangs on the seed, the clip's name and the type's name and files, not on the other clips.

    Raises
    ------
    AudioFileError
        If the recording that was drawn cannot be read, or is shorter than 0.1 s.
    """
    rng = np.random.default_rng(_number_of(f"{seed}/{clip}/{noise.name}"))
    path = noise.files[int(rng.integers(len(noise.files)))]
    length, wanted = length_s(path), samples / sample_rate
    start_s = float(rng.uniform(0.0, max(length - wanted, 0.0)))
    found = read_stretch(path, start_s, wanted + _SURPLUS_S, sample_rate)
    if found.size < _LEAST_S * sample_rate:
        raise AudioFileError(f"{path} is shorter than {_LEAST_S} s: it is of no use as noise")
    if found.size < samples:
        return looped(found, samples, int(rng.integers(found.size)), sample_rate)
    return found[:samples]


def _number_of(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
