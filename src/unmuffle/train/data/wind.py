"""Wind on a microphone: turbulence that rumbles, in gusts.

After C. M. Nelke and P. Vary, "Measurement, analysis and simulation of wind noise signals for mobile communication
devices", IWAENC 2014, and D. Mirabilii, A. Lodermeyer, F. Czwielong, S. Becker and E. A. P. Habets, "Simulating wind
noise with airflow speed-dependent characteristics", IWAENC 2022: noise whose power falls as a power of the frequency
from some tens of Hz on, whose level follows the speed of the air and whose spectrum reaches further up in a gust. The
speed is a constant with slow random changes. Here the long fall is that of turbulence (Kolmogorov's -5/3 and steeper),
and two spectra, of calm and of gust, are mixed by the speed. Left out: coherence between microphones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft

from unmuffle.train.data.filters import Clip

CORNER_HZ, SLOPE = (15.0, 40.0), (2.2, 3.4)
"""Where the power begins to fall, and the power of the frequency by which it does."""
GUST_OCTAVES = (1.0, 3.0)
GUST_HZ, DEPTH = (0.3, 2.5), (0.4, 1.2)
"""How fast the air's speed changes, and how much, as the standard deviation of its logarithm."""
LOWEST_HZ = 10.0


def wind_noise(random: np.random.Generator, samples: int, rate: int) -> Clip:
    """Return wind of a random strength [samples] with mean square 1."""
    corner_hz, slope = random.uniform(*CORNER_HZ), random.uniform(*SLOPE)
    gust_hz = corner_hz * 2 ** random.uniform(*GUST_OCTAVES)
    calm, gust = _turbulence(random, samples, rate, (corner_hz, gust_hz), slope)
    speed = air_speed(random, samples, rate, random.uniform(*GUST_HZ), random.uniform(*DEPTH))
    # Pressure follows the square of the speed; the further above its mean, the more of the wider spectrum.
    share = np.clip(speed - 0.7, 0, 1.5) / 1.5
    noise = speed**2 * (np.sqrt(1 - share) * calm + np.sqrt(share) * gust)
    return np.asarray(noise / np.sqrt(np.mean(noise**2)), np.float32)


def air_speed(
    random: np.random.Generator, samples: int, rate: int, fastest_hz: float, depth: float
) -> NDArray[np.float64]:
    """Return the speed of the air [samples] relative to its median: the exponential of slow noise."""
    count = max(8, int(2 * samples / rate * fastest_hz) + 4)
    points = random.standard_normal(count)
    # Natural wind changes ever less the faster one looks; neighbours are tied to each other.
    points[1:] = 0.6 * points[1:] + 0.4 * points[:-1]
    places = np.linspace(0, count - 1, samples)
    smooth = 0.5 - 0.5 * np.cos(np.pi * (places - np.floor(places)))
    left = np.minimum(places.astype(np.intp), count - 2)
    return np.asarray(np.exp(depth * (points[left] * (1 - smooth) + points[left + 1] * smooth)))


def _turbulence(
    random: np.random.Generator, samples: int, rate: int, corners_hz: tuple[float, float], slope: float
) -> list[NDArray[np.float32]]:
    """Return noises [samples] of mean square 1 whose power falls from their corners on."""
    frequencies = np.fft.rfftfreq(samples, 1 / rate).astype(np.float32)
    noises = []
    for corner_hz in corners_hz:
        spectrum = random.standard_normal(2 * frequencies.size, np.float32).view(np.complex64)
        shape = (1 + (frequencies / np.float32(corner_hz)) ** 2) ** np.float32(-slope / 4) * (frequencies > LOWEST_HZ)
        noise = irfft(spectrum * shape, samples)
        noises.append(noise / np.sqrt(np.mean(noise**2)))
    return noises
