"""What rooms, microphones and lines do to sound: random spectra, band limits, rooms, clipping.

All filters act on a whole clip through one FFT, so a filter costs the same whatever its shape.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

Clip = NDArray[np.float32]

EARLY_S, EARLY_FADE_S = 0.05, 0.03
COLOUR_POINTS = 7
SILENT = 1e-5


def random_colour(random: np.random.Generator, samples: int, rate: int, depth_db: float) -> NDArray[np.float32]:
    """Smooth random gain over the bins of ``rfft``, about ``depth_db`` up and down, even over octaves."""
    frequencies = np.fft.rfftfreq(samples, 1 / rate)
    octaves = np.log2(np.maximum(frequencies, 40.0) / 40.0)
    points = np.linspace(0, octaves[-1], COLOUR_POINTS)
    gain_db = np.interp(octaves, points, random.uniform(-depth_db, depth_db, COLOUR_POINTS))
    return (10 ** (gain_db / 20)).astype(np.float32)


def band_limit(samples: int, rate: int, low_hz: float, high_hz: float, edge: float = 0.1) -> NDArray[np.float32]:
    """Gain over the bins of ``rfft`` that passes a band; ``edge`` is the width of the upper one over its frequency."""
    frequencies = np.fft.rfftfreq(samples, 1 / rate)
    upper = np.clip((high_hz - frequencies) / (edge * high_hz), 0, 1)
    lower = np.clip(frequencies / (0.1 * low_hz) - 9, 0, 1) if low_hz else 1.0
    return np.asarray(upper * lower, np.float32)


def apply_gain(clip: Clip, gain: NDArray[np.float32]) -> Clip:
    """Filter a clip [samples] with a gain over the bins of its ``rfft``."""
    return np.asarray(irfft(rfft(clip) * gain, clip.shape[-1]), np.float32)


def in_room(clip: Clip, response: Clip) -> Clip:
    """Return a clip as heard in a room, cut to its own length."""
    size = next_fast_len(clip.size + response.size - 1, real=True)
    return np.asarray(irfft(rfft(clip, size) * rfft(response, size), size)[: clip.size], np.float32)


def early_part(response: Clip, rate: int) -> Clip:
    """Keep the direct sound and the reflections of the first 50 ms; what follows fades within 30 ms."""
    time_s = np.arange(response.size) / rate
    return np.asarray(response * np.clip(1 - (time_s - EARLY_S) / EARLY_FADE_S, 0, 1), np.float32)


def coloured_noise(random: np.random.Generator, samples: int, rate: int) -> Clip:
    """Stationary noise with a random spectrum that falls by 0 to 9 dB an octave, sometimes with mains hum."""
    frequencies = np.fft.rfftfreq(samples, 1 / rate)
    slope = random.uniform(0, 1.5)
    spectrum = random.standard_normal(frequencies.size) + 1j * random.standard_normal(frequencies.size)
    shape = np.maximum(frequencies, 30.0) ** -slope * random_colour(random, samples, rate, 8.0)
    noise = irfft(spectrum * shape, samples)
    noise /= np.sqrt(np.mean(noise**2))
    if random.random() < 0.3:
        noise += _hum(random, samples, rate)
    return np.asarray(noise, np.float32)


def _hum(random: np.random.Generator, samples: int, rate: int) -> NDArray[np.float64]:
    mains_hz = random.choice((50.0, 60.0)) * random.uniform(0.998, 1.002)
    orders = np.arange(1, 16)
    strengths = random.uniform(0, 1, orders.size) / orders ** random.uniform(0.3, 1.2)
    phases = 2 * np.pi * (np.outer(np.arange(samples) * (mains_hz / rate), orders) + random.random(orders.size))
    return np.asarray(np.sin(phases) @ strengths)


def rms(clip: Clip) -> float:
    """Root mean square of a clip."""
    return float(np.sqrt(np.mean(np.square(clip, dtype=np.float64))))
