"""Plane waves on arrays, and a voice, all made here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

from unmuffle.array import ArrayGeometry, Direction
from unmuffle.array.steering import delays_s

RATE = 16_000
SPEED = 331.3 * np.sqrt(1.0 + 20.0 / 273.15)


def plane_wave(geometry: ArrayGeometry, azimuth: float, signal: np.ndarray, rate: int = RATE) -> np.ndarray:
    """A signal as it arrives at each microphone, delayed over the whole of its length at once."""
    turns = -2j * np.pi * np.fft.rfftfreq(signal.size, 1.0 / rate)
    spectrum = np.fft.rfft(signal)
    late = delays_s(geometry, Direction(azimuth))
    return np.stack([np.fft.irfft(spectrum * np.exp(turns * delay), signal.size) for delay in late])


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(samples)


def voice(seconds: float = 3.0, rate: int = RATE) -> np.ndarray:
    """The example recording of speech from its first word on, float64 [samples]."""
    audio, native = soundfile.read(Path(__file__).parents[2] / "examples" / "clean.flac", dtype="float64")
    audio = resample_poly(audio, rate, native)
    begin = int((np.abs(audio) > 0.01).argmax())
    audio = audio[begin : begin + round(seconds * rate)]
    return 0.05 * audio / np.sqrt(np.square(audio).mean())


def power_db(signal: np.ndarray) -> float:
    return float(10.0 * np.log10(np.square(signal).mean()))


def off_by(azimuth: float, wanted: float) -> float:
    return abs((azimuth - wanted + 180.0) % 360.0 - 180.0)
