"""A dry voice in rooms whose responses are made here: a direct sound, some reflections, and noise that dies away."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import oaconvolve, resample_poly

RATE = 16_000
EARLY_S = 0.05
CLEAN = Path(__file__).parents[2] / "examples" / "clean.flac"


@lru_cache(maxsize=4)
def dry_voice(seconds: float = 12.0, rate: int = RATE) -> np.ndarray:
    """The example recording, synthetic and without any room, float64 [samples] with an RMS of 0.05."""
    audio, native = soundfile.read(CLEAN, dtype="float64")
    audio = resample_poly(audio, rate, native)[: round(seconds * rate)]
    return 0.05 * audio / np.sqrt(np.square(audio).mean())


def room_response(rt60_s: float, rate: int = RATE, seed: int = 0, direct: float = 1.0) -> np.ndarray:
    """Unit energy after the direct sound, which comes first; it falls by 60 dB in the time given."""
    random = np.random.default_rng(seed)
    time = np.arange(round(1.2 * rt60_s * rate)) / rate
    response = random.standard_normal(time.size) * 10.0 ** (-3.0 * time / rt60_s)
    # Before noise is as dense as this come single reflections.
    sparse = time < 0.03
    response[sparse] *= np.sqrt(20.0) * (random.random(sparse.sum()) < 0.05)
    response[: rate // 500] = 0.0
    response /= np.sqrt(np.square(response).sum())
    response[0] = direct
    return response


def in_room(voice: np.ndarray, rt60_s: float, rate: int = RATE, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The voice as it is heard there, and its direct sound with the reflections of the first 50 ms."""
    response = room_response(rt60_s, rate, seed)
    early = response[: round(EARLY_S * rate)]
    return oaconvolve(voice, response)[: voice.size], oaconvolve(voice, early)[: voice.size]


def si_sdr_db(reference: np.ndarray, estimate: np.ndarray) -> float:
    target = reference * (reference @ estimate) / (reference @ reference)
    return float(10.0 * np.log10((target @ target) / max(np.square(estimate - target).sum(), 1e-30)))
