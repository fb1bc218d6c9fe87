"""What the tests of levels for listeners share."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "measure"))
from measure_signals import speech_like


@lru_cache(maxsize=16)
def talker(rate: int, seconds: float, pitch_hz: float) -> np.ndarray:
    """A synthetic voice at -20 dBFS RMS; float64 [samples], not to be written to."""
    voice = speech_like(rate, seconds, seed=int(pitch_hz), pitch_hz=pitch_hz)
    voice.setflags(write=False)
    return voice


def bad_inputs(rate: int) -> dict[str, np.ndarray]:
    """Audio that is no speech, float32 [channels, samples]."""
    time = np.arange(2 * rate)
    impulse = np.zeros((1, time.size), np.float32)
    impulse[0, rate] = 1.0
    square = np.where(time * 200 // rate % 2, 1.0, -1.0)[None].astype(np.float32)
    short = (0.1 * np.random.default_rng(0).standard_normal((1, rate // 10))).astype(np.float32)
    return {
        "silence": np.zeros((1, time.size), np.float32),
        "dc": np.full((1, time.size), 0.5, np.float32),
        "impulse": impulse,
        "square": square,
        "100 ms": short,
        "one sample": short[:, :1],
        "8 channels": np.repeat(square, 8, axis=0),
    }
