"""One mixture: which stretches are drawn, and how they are put together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unmuffle.errors import AudioFileError
from unmuffle.level.active_level import active_level_db
from unmuffle.measure.evaluation.mix_sources import (
    early_part,
    fade_ends,
    length_s,
    looped,
    read_response,
    read_stretch,
    reverberation_time_s,
)
from unmuffle.measure.evaluation.mixing import mix_at_snr
from unmuffle.measure.results import Condition
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.files import probe

if TYPE_CHECKING:
    from unmuffle.measure.evaluation.mix_plan import MixPlan

SPEECH_DBFS = -26.0
"""Active level of the reference, unless its peaks need less: the nominal one of ITU-T P.56."""

HIGHEST_PEAK = 0.99

_PAUSE_S = (0.2, 0.6)
_QUIETEST = 1e-4
"""RMS below which a stretch is taken for a pause, and another one drawn."""
_MOST_TRIES = 20


@dataclass(frozen=True)
class Mixture:
    """A clip, float32 [samples] each, and all that was drawn for it."""

    noisy: FloatArray
    clean: FloatArray
    drawn: dict[str, Condition]


def mix_drawn(plan: MixPlan, index: int, rng: np.random.Generator) -> Mixture:
    """Draw and mix a clip of a plan."""
    dry, said = _draw_speech(plan, rng)
    noise, heard = _draw_noise(plan, rng)
    clean, full, where = _in_room(plan, dry, rng)
    gain = np.float32(10.0 ** ((SPEECH_DBFS - active_level_db(clean, plan.sample_rate)) / 20.0))
    clean, full = gain * clean, gain * full
    noisy = mix_at_snr(clean, noise, plan.snr_db(index), plan.sample_rate) + (full - clean)
    peak = float(max(np.abs(noisy).max(), np.abs(clean).max()))
    held = np.float32(min(1.0, HIGHEST_PEAK / peak))
    drawn: dict[str, Condition] = {"snr_db": plan.snr_db(index), "noise": kind_of(str(heard["noise_file"])), **where}
    drawn |= {"talker": kind_of(str(said["speech_file"]).partition("|")[0]), **said, **heard}
    drawn["active_level_dbfs"] = round(SPEECH_DBFS + 20.0 * float(np.log10(held)), 2)
    return Mixture(held * noisy, held * clean, drawn)


def kind_of(name: str) -> str:
    """Return what a recording belongs to: the folder it lies in, or its own name where it lies in none.

    >>> kind_of("rain/window.flac"), kind_of("fan.wav")
    ('rain', 'fan')
    """
    path = Path(name)
    return path.parent.as_posix() if path.parent.name else path.stem


def _draw_speech(plan: MixPlan, rng: np.random.Generator) -> tuple[FloatArray, dict[str, Condition]]:
    """Fill a clip with speech of one talker: a stretch of one recording, or several with pauses between."""
    rate, wanted = plan.sample_rate, round(plan.seconds * plan.sample_rate)
    names = plan.speech.names
    name = names[rng.integers(len(names))]
    same_talker = [other for other in names if Path(other).parent == Path(name).parent]
    track, filled = np.zeros(wanted, np.float32), 0
    files: list[str] = []
    starts: list[str] = []
    while filled < wanted:
        sound, start_s = _sounding(plan.speech.path(name), (wanted - filled) / rate, rate, rng)
        sound = fade_ends(sound[: wanted - filled], rate)
        track[filled : filled + sound.size] = sound
        files.append(name)
        starts.append(f"{start_s:.3f}")
        filled += sound.size + round(rng.uniform(*_PAUSE_S) * rate)
        name = same_talker[rng.integers(len(same_talker))]
    return track, {"speech_file": "|".join(files), "speech_start_s": "|".join(starts)}


def _draw_noise(plan: MixPlan, rng: np.random.Generator) -> tuple[FloatArray, dict[str, Condition]]:
    rate, wanted = plan.sample_rate, round(plan.seconds * plan.sample_rate)
    name = plan.noise.names[rng.integers(len(plan.noise.names))]
    sound, start_s = _sounding(plan.noise.path(name), plan.seconds, rate, rng)
    shift = int(rng.integers(max(1, sound.size)))
    noise = looped(sound, wanted, shift if sound.size < wanted else 0, rate)
    return noise, {"noise_file": name, "noise_start_s": start_s}


def _sounding(path: Path, seconds: float, rate: int, rng: np.random.Generator) -> tuple[FloatArray, float]:
    """Draw a stretch of a file in which there is something to hear, and say where it starts."""
    free_s = max(0.0, length_s(path) - seconds)
    for _ in range(_MOST_TRIES):
        start_s = float(np.floor(1000.0 * rng.uniform(0.0, free_s)) / 1000.0)
        sound = read_stretch(path, start_s, seconds, rate)
        if np.sqrt(np.mean(np.square(sound, dtype=np.float64))) > _QUIETEST:
            return sound, start_s
        if free_s == 0.0:
            break
    raise AudioFileError(f"{path} is too quiet to be mixed: leave it out")


def _in_room(
    plan: MixPlan, dry: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, dict[str, Condition]]:
    """Return the reference, all that reaches the microphone of the voice, and which room it is."""
    if plan.rooms is None:
        return dry, dry, {"rt60_s": 0.0}
    from scipy.signal import fftconvolve

    name = plan.rooms.names[rng.integers(len(plan.rooms.names))]
    path = plan.rooms.path(name)
    channel = int(rng.integers(probe(path).channels))
    response = read_response(path, channel, plan.sample_rate)
    clean, full = (
        fftconvolve(dry, part)[: dry.size].astype(np.float32)
        for part in (early_part(response, plan.sample_rate), response)
    )
    rt60_s = round(reverberation_time_s(response, plan.sample_rate), 2)
    return clean, full, {"rt60_s": rt60_s, "room_file": name, "room_channel": channel}
