"""Clean speech, and the ways in which it is spoilt for the part on repair; what was spoilt is known to the sample.

The folder is one that ``unmuffle evaluate`` takes; only its clean clips are read. They are short, so those of a rate
are joined to programmes, each clip at the same level.
"""

from __future__ import annotations

import csv
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

Floats = npt.NDArray[np.float64]

LEAST_S = 12.0
PAUSE_S = 0.3
CLIP_DBFS = -26.0
CLIPPED_SDR_DB = 10.0
MAINS_HZ = (50.0, 60.0)
HUM_DB, HUM_LINES, HUM_SWING_HZ, HUM_SWING_EVERY_S = -10.0, 20, 0.2, 25.0
DISTANCE_M = 0.9
DROP_DB, NOISE_DBFS, END_PAUSE_S = 20.0, -75.0, 5.0
_ROOM = Path(__file__).parent.parent / "examples" / "room.py"


@dataclass(frozen=True)
class Programme:
    """Clean clips behind each other.

    Attributes
    ----------
    rate : int
        In Hz.
    audio : float64 [samples]
    clips : tuple of slice
        Where each clip lies.
    """

    rate: int
    audio: Floats
    clips: tuple[slice, ...]

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.audio) / self.rate


def read_programmes(folder: Path, clips: int) -> list[Programme]:
    """Return programmes of about so many clips in all, taken evenly from the folder."""
    with (folder / "pairs.csv").open() as file:
        names = [row["id"] for row in csv.DictReader(file)]
    chosen = [names[index] for index in sorted({int(at) for at in np.linspace(0, len(names) - 1, clips)})]
    waiting: dict[int, list[Floats]] = {}
    done = []
    for name in chosen:
        clip, rate = soundfile.read(folder / "clean" / f"{name}.flac", dtype="float64")
        parts = waiting.setdefault(rate, [])
        parts.append(clip * 10.0 ** (CLIP_DBFS / 20.0) / np.sqrt(np.square(clip).mean()))
        if sum(map(len, parts)) >= LEAST_S * rate:
            done.append(_joined(waiting.pop(rate), rate))
    return done


def _joined(clips: list[Floats], rate: int) -> Programme:
    pause = np.zeros(round(PAUSE_S * rate))
    places, parts, at = [], [], 0
    for clip in clips:
        places.append(slice(at, at + len(clip)))
        parts += [clip, pause]
        at += len(clip) + len(pause)
    return Programme(rate, np.concatenate(parts), tuple(places))


def clipped(audio: Floats) -> Floats:
    """Return audio clipped to an SDR of 10 dB."""
    low, high = 0.0, float(np.abs(audio).max())
    for _ in range(40):
        limit = 0.5 * (low + high)
        error = np.square(audio - np.clip(audio, -limit, limit)).sum()
        if error > np.square(audio).sum() * 10.0 ** (-CLIPPED_SDR_DB / 10.0):
            low = limit
        else:
            high = limit
    return np.clip(audio, -high, high)


def with_clicks(programme: Programme, random: np.random.Generator) -> tuple[Floats, list[slice]]:
    """Add three clicks a second, bursts of 0.1 to 2 ms; return where they are, too."""
    spoilt = programme.audio.copy()
    places = []
    for at in _places(programme, random, 3.0, 0.004):
        length = max(2, round(random.uniform(1e-4, 2e-3) * programme.rate))
        burst = random.standard_normal(length) * np.exp(-3.0 * np.arange(length) / length)
        spoilt[at : at + length] += random.uniform(0.3, 1.0) * np.abs(programme.audio).max() * burst
        places.append(slice(at, at + length))
    return spoilt, places


def with_losses(programme: Programme, random: np.random.Generator, loss_s: float) -> tuple[Floats, list[slice]]:
    """Lose two packets a second: each is zero; return where, too."""
    length = round(loss_s * programme.rate)
    places = [slice(at, at + length) for at in _places(programme, random, 2.0, loss_s + 0.05)]
    spoilt = programme.audio.copy()
    for place in places:
        spoilt[place] = 0.0
    return spoilt, places


def _places(programme: Programme, random: np.random.Generator, a_second: float, apart_s: float) -> list[int]:
    """Return places amid speech, in order."""
    size = round(0.05 * programme.rate)
    frames = programme.audio[: len(programme.audio) // size * size].reshape(-1, size)
    power = np.square(frames).mean(axis=1)
    voiced = np.flatnonzero(power > 1e-3 * power.max())
    count = min(round(a_second * programme.seconds), voiced.size)
    drawn = np.sort(random.choice(voiced, count, replace=False) * size + random.integers(0, size, count))
    kept: list[int] = []
    for at in drawn.tolist():
        if at + apart_s * programme.rate < len(programme.audio) and (
            not kept or at - kept[-1] > apart_s * programme.rate
        ):
            kept.append(at)
    return kept


def quieter_mains_hz(audio: Floats, rate: int) -> float:
    """Return that of 50 and 60 Hz which the audio itself holds less of: many a clean recording has some hum."""
    power = np.square(np.abs(np.fft.rfft(audio)))
    hz = np.fft.rfftfreq(len(audio), 1.0 / rate)
    return min(
        MAINS_HZ, key=lambda mains_hz: power[((hz + 1.0) % mains_hz < 2.0) & (hz > 2.0) & (hz < 4.5 * mains_hz)].sum()
    )


def hum(programme: Programme, random: np.random.Generator, nominal_hz: float) -> tuple[Floats, Floats]:
    """Return the lines of a drifting hum [lines, samples], 10 dB below the speech in all, and its phase."""
    time = np.arange(len(programme.audio)) / programme.rate
    hz = nominal_hz + HUM_SWING_HZ * np.sin(2.0 * np.pi * time / HUM_SWING_EVERY_S + random.uniform(0.0, 6.28))
    phase = 2.0 * np.pi * np.cumsum(hz) / programme.rate
    numbers = np.arange(1, HUM_LINES + 1)[:, None]
    levels = 10.0 ** (-0.04 * numbers) * random.uniform(0.6, 1.0, numbers.shape)
    lines = levels * np.sin(numbers * phase + random.uniform(0.0, 6.28, numbers.shape))
    wanted = np.square(programme.audio).mean() * 10.0 ** (HUM_DB / 10.0)
    return lines * np.sqrt(wanted / np.square(lines).mean(axis=1).sum()), phase


def in_a_room(programme: Programme, random: np.random.Generator, rt60_s: float) -> tuple[Floats, Floats]:
    """Return the speech as heard 0.9 m away in a room, and its direct sound with the first 50 ms alone."""
    from scipy.signal import oaconvolve

    spec = importlib.util.spec_from_file_location("room_of_the_examples", _ROOM)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(_ROOM)
    room = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(room)
    response = room.room_response(rt60_s, programme.rate, random, DISTANCE_M)
    count = len(programme.audio)
    early = oaconvolve(programme.audio, room.early_part(response, programme.rate))[:count]
    return oaconvolve(programme.audio, response)[:count], early


@dataclass(frozen=True)
class Drop:
    """Where a clip is said, and where it is said again, by so many dB softer."""

    before: slice
    after: slice
    db: float = DROP_DB


def uneven(programme: Programme, random: np.random.Generator) -> tuple[Floats, list[Drop], slice]:
    """Say every clip twice, the second time 20 dB softer, over a little noise, with a pause at the end.

    Returns the audio, the places of both, and the pause.
    """
    pause = np.zeros(round(PAUSE_S * programme.rate))
    parts, drops, at = [], [], 0
    for place in programme.clips:
        clip = programme.audio[place]
        length = len(clip) + len(pause)
        parts += [clip, pause, clip * 10.0 ** (-DROP_DB / 20.0), pause]
        drops.append(Drop(slice(at, at + len(clip)), slice(at + length, at + length + len(clip))))
        at += 2 * length
    audio = np.concatenate([*parts, np.zeros(round(END_PAUSE_S * programme.rate))])
    audio += 10.0 ** (NOISE_DBFS / 20.0) * random.standard_normal(len(audio))
    return audio, drops, slice(at, len(audio))
