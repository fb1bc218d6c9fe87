"""What the tests of the pool share: signals, the lone stream they are held against, and ways to feed a pool."""

from __future__ import annotations

from typing import Any

import numpy as np

import unmuffle
from unmuffle.serve import PoolStream, StreamPool

TOLERANCE = 1e-4


def talk(rate: int, seconds: float, channels: int = 1, seed: int = 0, noise: float = 0.02) -> np.ndarray:
    """Harmonics that swell and fall like syllables, in noise; float32 [channels, samples]."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(rate * seconds)) / rate
    syllables = np.clip(np.sin(2 * np.pi * 4.0 * time + seed), 0.0, None) ** 2
    voice = sum(np.sin(2 * np.pi * (120.0 + seed) * k * time) / k for k in range(1, 12)) * syllables
    shares = np.linspace(1.0, 0.3, channels)[:, None]
    return (0.15 * shares * voice + noise * rng.standard_normal((channels, time.size))).astype(np.float32)


def lone(audio: np.ndarray, rate: int, **options: Any) -> np.ndarray:
    """What a stream of its own makes of the audio."""
    stream = unmuffle.open_stream(rate, 1 if audio.ndim == 1 else len(audio), **options)
    return np.concatenate((stream.process(audio), stream.flush()), axis=-1)


def run_dry(pool: StreamPool) -> None:
    """Tick until there is nothing left to do."""
    while pool.ready():
        pool.tick()


def through(pool: StreamPool, stream: PoolStream, audio: np.ndarray, block: int) -> np.ndarray:
    """Write in blocks, tick after each, finish, and return all that came out."""
    pieces = []
    for start in range(0, audio.shape[-1], block):
        stream.write(audio[..., start : start + block])
        run_dry(pool)
        pieces.append(stream.read())
    stream.finish()
    run_dry(pool)
    pieces.append(stream.read())
    return np.concatenate(pieces, axis=-1)


class Clock:
    """A clock that stands still unless it is moved."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s
