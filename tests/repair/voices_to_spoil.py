"""Speech-like sound for the tests of this folder, and the measure they are held to."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly


def _load_measure_signals():
    """Import the signals of the folder of measures, which is not on the path of this one."""
    path = Path(__file__).parents[1] / "measure" / "measure_signals.py"
    spec = importlib.util.spec_from_file_location("signals_of_measures", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_signals = _load_measure_signals()
noise = _signals.noise
speech_like = _signals.speech_like


def voice(rate: int = 16_000, seconds: float = 2.0, seed: int = 1, peak: float = 0.8) -> np.ndarray:
    """Vowels and fricatives, float32 [samples]."""
    wide = max(rate, 16_000)
    sound = resample_poly(speech_like(wide, seconds, seed), rate, wide)
    return (peak * sound / np.abs(sound).max()).astype(np.float32)


def sdr(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Signal-to-distortion ratio in dB."""
    wanted, got = reference.astype(np.float64), estimate.astype(np.float64)
    return float(10 * np.log10(np.sum(wanted**2) / (np.sum((wanted - got) ** 2) + 1e-20)))
