"""Small corpora, networks and configs for the tests of training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import soundfile

SIZES: dict[str, Any] = {
    "channels": 8, "positions": 8, "blocks": 2, "waist": 2, "edge": 8, "air_bands": 4, "air_units": 8,
}  # fmt: skip


def talk(seed: int, seconds: float, rate: int) -> np.ndarray:
    """Harmonic bursts at the pace of syllables, with a little breath."""
    random = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * rate)) / rate
    pitch_hz = 90 + 25 * (seed % 8)
    voice = sum(np.sin(2 * np.pi * pitch_hz * k * time_s) / k for k in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 3 * time_s + seed), 0, None) ** 0.5
    return (0.1 * syllables * (voice + 0.2 * random.standard_normal(time_s.size))).astype(np.float32)


def make_corpus(folder: Path, talkers: int = 6, rate: int = 16_000) -> tuple[Path, Path]:
    """Write speech of some talkers and three noises; return both folders."""
    speech, noise = folder / "speech", folder / "noise"
    for talker in range(talkers):
        place = speech / f"talker{talker}"
        place.mkdir(parents=True)
        soundfile.write(place / "a.wav", talk(talker, 4.0, rate), rate)
    noise.mkdir()
    for number in range(6):
        hiss = np.random.default_rng(100 + number).standard_normal(3 * rate)
        soundfile.write(noise / f"noise{number}.flac", 0.1 * np.convolve(hiss, np.ones(1 + number))[: 3 * rate], rate)
    return speech, noise


def small_config(packed: Path, **changes: Any) -> dict[str, Any]:
    """Return a config tree of a run that takes a second."""
    return {
        "steps": 8,
        "half_precision": False,
        "network": {"name": "unmuffle_s", **SIZES},
        "data": {"packed": str(packed), "clips": 2, "seconds": 0.5, "full_band_share": 0.4},
        "validation": {"every_steps": 100, "clips": 2, "seconds": 1.0},
        "optimiser": {"warm_up_steps": 2},
        **changes,
    }
