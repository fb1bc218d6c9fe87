"""Small sets of clips, made for these tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import lfilter

RATE = 16_000


def voice(seconds: float = 3.0, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """Syllables of a pulse train through formants, with pauses; float32, peak 0.5."""
    rng = np.random.default_rng(seed)
    track = np.zeros(round(seconds * rate))
    at = rate // 10
    while at < track.size:
        time = np.arange(round(rng.uniform(0.12, 0.3) * rate)) / rate
        phase = np.cumsum(rng.uniform(110, 170) * (1.0 + 0.1 * np.sin(9.0 * time))) / rate
        sound = np.diff(np.floor(phase), prepend=0.0) + 1e-3 * rng.standard_normal(time.size)
        for hz in (600.0, 1500.0, 2600.0):
            angle = 2.0 * np.pi * hz * rng.uniform(0.85, 1.15) / rate
            sound = lfilter([1.0], [1.0, -1.94 * np.cos(angle), 0.94], sound)
        sound *= np.hanning(sound.size) / np.abs(sound).max()
        free = track[at : at + sound.size]
        free += sound[: free.size]
        at += sound.size + round(rng.choice([0.02, 0.3], p=[0.7, 0.3]) * rate)
    return (0.5 * track / np.abs(track).max()).astype(np.float32)


def hiss(size: int, seed: int, rms: float = 0.03) -> np.ndarray:
    return (rms * np.random.default_rng(seed).standard_normal(size)).astype(np.float32)


def write(path: Path, audio: np.ndarray, rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.atleast_2d(audio).T, rate, subtype="PCM_16")
    return path


def write_pairs(folder: Path, count: int = 3, seconds: float = 2.5) -> Path:
    """Write ``noisy/`` and ``clean/`` with so many clips, named a, b, c ..."""
    for place in range(count):
        clean = voice(seconds, seed=place)
        name = chr(ord("a") + place)
        write(folder / "clean" / f"{name}.wav", clean)
        write(folder / "noisy" / f"{name}.flac", clean + hiss(clean.size, place))
    return folder


def write_sources(folder: Path) -> Path:
    """Write ``speech/`` of two talkers, ``noise/`` of two kinds and ``rooms/``, of several rates and lengths."""
    write(folder / "speech" / "ann" / "long.wav", voice(9.0, seed=1))
    write(folder / "speech" / "bob" / "1.wav", voice(1.2, 8_000, seed=2), 8_000)
    write(folder / "speech" / "bob" / "2.wav", voice(1.4, 8_000, seed=3), 8_000)
    write(folder / "noise" / "hiss" / "short.wav", hiss(RATE, 4))
    write(folder / "noise" / "wind.wav", np.stack((hiss(5 * 24_000, 5), hiss(5 * 24_000, 6))), 24_000)
    write(folder / "rooms" / "hall.wav", response(0.4), 48_000)
    return folder


def response(rt60_s: float, rate: int = 48_000) -> np.ndarray:
    """Return a direct sound after 5 ms of nothing, and a tail that falls by 60 dB in a stated time."""
    time = np.arange(round(rt60_s * rate)) / rate
    tail = 0.05 * np.random.default_rng(7).standard_normal(time.size) * 10.0 ** (-3.0 * time / rt60_s)
    tail[0] = 0.9
    return np.concatenate((np.zeros(round(0.005 * rate)), tail))
