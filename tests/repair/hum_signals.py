"""Hum whose every line is known."""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, sosfiltfilt


def hum_lines(rate: int, seconds: float, hz: float, level_dbfs: float, *, drift_hz: float = 0.0, harmonics: int = 20):
    """Return lines [harmonics, samples] whose powers add up to the level, and the phase of the fundamental.

    The fundamental swings by ``drift_hz`` around ``hz``, by 0.1 Hz a second at most.
    """
    rng = np.random.default_rng(round(10 * hz))
    time = np.arange(round(seconds * rate)) / rate
    wander = drift_hz * np.sin(0.1 / drift_hz * time) if drift_hz else 0.0
    phase = 2.0 * np.pi * np.cumsum(hz + wander * np.ones(time.size)) / rate
    numbers = np.arange(1, harmonics + 1)
    levels = 10.0 ** (-0.04 * numbers) * rng.uniform(0.6, 1.0, harmonics)
    lines = levels[:, None] * np.sin(numbers[:, None] * phase + rng.uniform(0.0, 6.0, (harmonics, 1)))
    return lines * 10.0 ** (level_dbfs / 20.0) / np.sqrt(np.square(lines).mean(axis=1).sum()), phase


def reductions_db(residue: np.ndarray, lines: np.ndarray, phase: np.ndarray, rate: int, span_s: tuple[float, float]):
    """Return how far below each line what is left in 6 Hz around it lies, in a span of time."""
    sections = butter(2, 3.0, fs=rate, output="sos")
    span = slice(*(round(s * rate) for s in span_s))
    numbers = range(1, len(lines) + 1)
    left = [np.abs(sosfiltfilt(sections, residue * np.exp(-1j * n * phase)))[span] for n in numbers]
    power = [2.0 * np.square(magnitude).mean() for magnitude in left]
    return 10.0 * np.log10(np.square(lines[:, span]).mean(axis=1) / np.array(power))
