"""Pops and sibilants of known strength, to be added to a voice."""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, sosfilt
from voices_to_spoil import noise


def pop(rate: int, level_dbfs: float, seed: int = 0) -> np.ndarray:
    """A burst of 45 Hz and noise from 20 to 110 Hz, up in 6 ms and down with 30 ms, with breath noise 26 dB below."""
    time = np.arange(round(0.12 * rate)) / rate
    low = sosfilt(butter(2, [20.0, 110.0], "bandpass", fs=rate, output="sos"), noise(rate, 0.12, seed))
    burst = np.sin(2.0 * np.pi * 45.0 * time) + 0.5 * low / low.std()
    breath = sosfilt(butter(1, 1500.0, fs=rate, output="sos"), noise(rate, 0.12, seed + 1))
    burst = burst / burst.std() + 0.05 * breath / breath.std()
    burst *= np.minimum(time / 0.006, 1.0) * np.exp(-time / 0.03)
    return burst * 10.0 ** (level_dbfs / 20.0) / np.sqrt(np.square(burst[: round(0.05 * rate)]).mean())


def sibilant(rate: int, level_dbfs: float, seed: int = 0) -> np.ndarray:
    """Noise from 5.5 to 7.5 kHz for 120 ms, with edges of 10 ms."""
    hiss = sosfilt(butter(4, [5500.0, 7500.0], "bandpass", fs=rate, output="sos"), noise(rate, 0.12, seed))
    edge = np.minimum(np.arange(hiss.size), np.arange(hiss.size)[::-1]) / (0.01 * rate)
    return hiss * np.minimum(edge, 1.0) * 10.0 ** (level_dbfs / 20.0) / hiss.std()


def with_events(clean: np.ndarray, rate: int, make, level_dbfs: float, starts_s=(2.0, 3.4, 4.9)):
    """Return clean sound and events added, and the spans of the events."""
    audio, spans = clean.copy(), []
    for number, start_s in enumerate(starts_s):
        event = make(rate, level_dbfs, number)
        span = slice(round(start_s * rate), round(start_s * rate) + event.size)
        audio[span] += event
        spans.append(span)
    return audio, spans
