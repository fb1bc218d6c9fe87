"""Everyday background noises, made by rule: rain, a fan with mains hum, a keyboard.

Every generator takes a length in seconds, a sample rate and a random generator, and returns mono float32
noise of shape `[n]` whose RMS is `LEVEL_DBFS`, so that plain gains weigh noises against each other. The same
state of the random generator gives the same noise. Drops and key strokes may exceed full scale: scale the
mixture, not the noise.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

LEVEL_DBFS = -20.0

MAINS_HZ = 50.0
# Rectifiers and motors repeat every half cycle, so the even harmonics of the mains are the strong ones.
HUM_AMPLITUDES = (0.45, 1.0, 0.2, 0.5, 0.12, 0.3, 0.08, 0.2, 0.05, 0.12)


def rain(seconds: float, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Rain on a window sill: a wide hiss that swells and fades, and drops that ring for milliseconds."""
    n = round(seconds * sample_rate)
    frequencies = np.fft.rfftfreq(n, 1 / sample_rate)
    # Rain has little below 300 Hz, is flat up to some kHz and falls gently above.
    tilt = (frequencies / 300) ** 2 / (1 + (frequencies / 300) ** 2) / np.sqrt(1 + (frequencies / 5000) ** 2)
    bed = _at_rms(_shaped_noise(tilt, n, rng), 1.0)
    bed *= 10 ** (1.5 * _drift(n, sample_rate, rng, every_s=1.5) / 20)

    drops = np.zeros(n)
    for _ in range(rng.poisson(120 * seconds)):
        # Log-normal strengths: many faint drops, a few close ones.
        _add(drops, int(rng.integers(n)), rng.lognormal(0.0, 0.8) * _drop(sample_rate, rng))
    return _finished(bed + _at_rms(drops, 0.6))


def fan(seconds: float, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Desk fan: rushing air and the hum of its motor (50 Hz mains), both throbbing as the blades pass."""
    n = round(seconds * sample_rate)
    frequencies = np.fft.rfftfreq(n, 1 / sample_rate)
    # Turbulent air: nothing below the first tens of hertz, then a steady fall towards the treble.
    tilt = (frequencies / 60) ** 2 / (1 + (frequencies / 60) ** 2) / (1 + frequencies / 250) ** 0.9
    air = _at_rms(_shaped_noise(tilt, n, rng), 1.0)

    mains_phase = _phase(MAINS_HZ * (1 + 2e-4 * _drift(n, sample_rate, rng, every_s=3.0)), sample_rate)
    hum = np.zeros(n)
    for harmonic, amplitude in enumerate(HUM_AMPLITUDES, start=1):
        if harmonic * MAINS_HZ < sample_rate / 2:
            hum += amplitude * np.sin(harmonic * mains_phase + rng.uniform(0, 2 * np.pi))

    blades_hz = 3 * rng.uniform(9.0, 12.0)
    blades = np.sin(_phase(blades_hz * (1 + 5e-3 * _drift(n, sample_rate, rng, every_s=2.0)), sample_rate))
    return _finished(air * (1 + 0.4 * blades) + _at_rms(hum, 0.8) * (1 + 0.15 * blades))


def keyboard(seconds: float, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Typing: words of irregular strokes, pauses for thought, each stroke a press and a softer release."""
    n = round(seconds * sample_rate)
    strokes = np.zeros(n)
    for time_s in _stroke_times(seconds, rng):
        strength = rng.lognormal(0.0, 0.35)
        release_s = time_s + rng.uniform(0.06, 0.11)
        _add(strokes, round(time_s * sample_rate), strength * _click(sample_rate, rng))
        _add(strokes, round(release_s * sample_rate), 0.35 * strength * _click(sample_rate, rng))
    return _finished(strokes)


def _stroke_times(seconds: float, rng: np.random.Generator) -> Iterator[float]:
    time_s = rng.uniform(0.0, 0.1)
    while True:
        for _ in range(rng.integers(3, 9)):
            if time_s >= seconds:
                return
            yield time_s
            time_s += rng.gamma(6.0, 0.14 / 6.0)
        time_s += rng.uniform(0.1, 0.9)


def _drop(sample_rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """One drop: the ringing of the bubble that it leaves."""
    decay_s = rng.uniform(0.5e-3, 3e-3)
    time_s = np.arange(round(6 * decay_s * sample_rate)) / sample_rate
    frequency_hz = np.exp(rng.uniform(np.log(1200), np.log(9000)))
    return np.sin(2 * np.pi * frequency_hz * time_s) * np.exp(-time_s / decay_s)


def _click(sample_rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """One key hitting its stop: a tick, a few resonances of the key cap and case, and a thump of the desk."""
    time_s = np.arange(round(0.06 * sample_rate)) / sample_rate
    click = 0.8 * rng.standard_normal(time_s.size) * np.exp(-time_s / 0.7e-3)
    for _ in range(5):
        frequency_hz = np.exp(rng.uniform(np.log(900), np.log(7000)))
        decay_s = rng.uniform(2e-3, 7e-3)
        click += rng.uniform(0.3, 1.0) * np.sin(2 * np.pi * frequency_hz * time_s) * np.exp(-time_s / decay_s)
    thump_hz = rng.uniform(130, 240)
    return click + 0.8 * np.sin(2 * np.pi * thump_hz * time_s) * np.exp(-time_s / 12e-3)


def _shaped_noise(magnitudes: NDArray[np.float64], n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Gaussian noise of `n` samples with the given magnitudes at its `n // 2 + 1` frequencies."""
    return np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * magnitudes, n)


def _drift(n: int, sample_rate: int, rng: np.random.Generator, every_s: float) -> NDArray[np.float64]:
    """Slow, smooth random curve of unit spread that takes a new value every `every_s` seconds."""
    knots_s = every_s * np.arange(int(n / sample_rate / every_s) + 3)
    return CubicSpline(knots_s, rng.standard_normal(knots_s.size))(np.arange(n) / sample_rate)


def _phase(frequency_hz: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    return 2 * np.pi * np.cumsum(frequency_hz) / sample_rate


def _add(track: NDArray[np.float64], start: int, grain: NDArray[np.float64]) -> None:
    """Add a grain to the track in place; what would lie behind the track's end is dropped."""
    free = track[start : start + grain.size]
    free += grain[: free.size]


def _at_rms(signal: NDArray[np.float64], rms: float) -> NDArray[np.float64]:
    now = np.sqrt(np.mean(signal**2))
    return signal * (rms / now) if now > 0 else signal


def _finished(signal: NDArray[np.float64]) -> NDArray[np.float32]:
    return _at_rms(signal, 10 ** (LEVEL_DBFS / 20)).astype(np.float32)
