"""What a player on the page holds: all versions of a clip at one loudness, small enough to be part of the page.

Loudness is matched by ITU-R BS.1770 over the stretch that is played. All versions come to the same loudness: -20 LUFS,
or as much less as keeps the highest peak of all below full scale. They are stored as MP3, which every browser decodes.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np

from unmuffle.errors import UnmuffleError
from unmuffle.level import LoudnessMeter
from unmuffle.measure.extras import REPORT, load_package
from unmuffle.measure.results import UNPROCESSED, ClipResult, Results
from unmuffle.measure.spectra.picture import spectrogram_png
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.files import AudioInfo, open_reader, open_writer

LONGEST_S = 20.0
TARGET_LUFS = -20.0
REFERENCE = "reference"
_HIGHEST_PEAK_DBFS = -1.0
_PIXELS = 420, 120
_QUALITY = 70
_BITS_A_SECOND, _BITS_A_SECOND_WIDE = 48_000, 80_000


@dataclass(frozen=True)
class Version:
    """A version of a clip that can be heard.

    Attributes
    ----------
    name : str
        The enhancer's, or ``"reference"``.
    audio : str
        MP3 as a data URI.
    image : str
        Its spectrogram as a data URI.
    gain_db : float
        What was added to its level for the player.
    lufs : float or None
        Its loudness before; None for silence and for less than 400 ms, which are left as they are.
    """

    name: str
    audio: str
    image: str
    gain_db: float
    lufs: float | None


@dataclass(frozen=True)
class Listening:
    """The versions of a clip, and what could not be had of it.

    Attributes
    ----------
    versions : tuple of Version
        The clip as it came, the enhancers, the reference: those whose files could be read.
    seconds : float
        Length of the longest.
    cut_at_s : float or None
        Where a long clip was cut.
    problems : tuple of str
        One line for each file that could not be read.
    """

    versions: tuple[Version, ...]
    seconds: float
    cut_at_s: float | None
    problems: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes it takes in the page."""
        return sum(len(version.audio) + len(version.image) for version in self.versions)


@dataclass(frozen=True)
class _Sound:
    samples: FloatArray
    rate: int
    was_cut: bool


def prepare(results: Results, clip: str) -> Listening:
    """Read, match, encode and draw all versions of a clip."""
    sounds: dict[str, _Sound] = {}
    problems: list[str] = []
    for name, path in paths(results, clip).items():
        try:
            sounds[name] = _read(path)
        except UnmuffleError as error:
            problems.append(str(error))
    lufs = {name: _loudness(sound) for name, sound in sounds.items()}
    gains = matching_gains_db(lufs, {name: _peak_dbfs(sound.samples) for name, sound in sounds.items()})
    versions = [_version(name, sound, gains[name], lufs[name]) for name, sound in sounds.items()]
    cut = LONGEST_S if any(sound.was_cut for sound in sounds.values()) else None
    seconds = max((sound.samples.shape[1] / sound.rate for sound in sounds.values()), default=0.0)
    return Listening(tuple(versions), seconds, cut, tuple(problems))


def paths(results: Results, clip: str) -> dict[str, str]:
    """Return the files of a clip's versions: as it came, after each enhancer in their order, and the reference."""
    rows = [row for name in results.enhancers if (row := results.get(clip, name)) is not None]
    found = {UNPROCESSED: _first(rows, "noisy")}
    for row in rows:
        if row.enhancer != UNPROCESSED:
            found[row.enhancer] = row.files.get("enhanced")
    found[REFERENCE] = _first(rows, "clean")
    return {name: path for name, path in found.items() if path}


def matching_gains_db(lufs: Mapping[str, float], peaks_dbfs: Mapping[str, float]) -> dict[str, float]:
    """Return the gains that bring all to one loudness without a peak beyond -1 dBFS; 0 for those without loudness."""
    rooms = [lufs[name] + _HIGHEST_PEAK_DBFS - peaks_dbfs[name] for name in lufs if isfinite(lufs[name])]
    target = min([TARGET_LUFS, *rooms])
    return {name: target - loudness if isfinite(loudness) else 0.0 for name, loudness in lufs.items()}


def _first(rows: list[ClipResult], role: str) -> str | None:
    return next((row.files[role] for row in rows if row.files.get(role)), None)


def _read(path: str) -> _Sound:
    with open_reader(path) as reader:
        rate = reader.info.sample_rate
        samples = reader.read(round(LONGEST_S * rate))
        was_cut = reader.read(1).shape[1] > 0
    if len(samples) > 2:
        samples = samples.mean(axis=0, keepdims=True)
    return _Sound(np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0), rate, was_cut)


def _loudness(sound: _Sound) -> float:
    meter = LoudnessMeter(sound.rate, len(sound.samples))
    meter.process(sound.samples)
    return meter.integrated_lufs


def _peak_dbfs(samples: FloatArray) -> float:
    return float(20.0 * np.log10(max(float(np.abs(samples).max()), 1e-9)))


def _version(name: str, sound: _Sound, gain_db: float, lufs: float) -> Version:
    samples = sound.samples * np.float32(10.0 ** (gain_db / 20.0))
    return Version(
        name=name,
        audio=_data_uri("audio/mpeg", _encode(samples, sound.rate)),
        image=_data_uri("image/webp", _draw(samples, sound.rate)),
        gain_db=gain_db,
        lufs=lufs if isfinite(lufs) else None,
    )


def _encode(samples: FloatArray, rate: int) -> bytes:
    stored = io.BytesIO()
    layout = "mono" if len(samples) == 1 else "stereo"
    bit_rate = len(samples) * (_BITS_A_SECOND if rate < 32_000 else _BITS_A_SECOND_WIDE)
    info = AudioInfo(rate, len(samples), layout, codec="mp3", bit_rate=bit_rate)
    with open_writer(stored, info, container="mp3") as writer:
        writer.write(samples.astype(np.float32, copy=False))
    return stored.getvalue()


def _draw(samples: FloatArray, rate: int) -> bytes:
    """Return the spectrogram as WebP, a third of the size of the PNG that it is made of."""
    drawn = spectrogram_png(samples, rate, width=_PIXELS[0], height=_PIXELS[1])
    stored = io.BytesIO()
    image = load_package("PIL.Image", REPORT, "this report")
    image.open(io.BytesIO(drawn)).convert("RGB").save(stored, "WEBP", quality=_QUALITY)
    return stored.getvalue()


def _data_uri(kind: str, contents: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(contents).decode()}"
