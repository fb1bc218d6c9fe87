"""The sound of a small room: image-method early reflections with a diffuse tail.

The first 50 ms hold the mirror images of the source in the six walls (J. Allen, D. Berkley, "Image method for
efficiently simulating small-room acoustics", JASA 65(4), 1979, eq. 10), every wall with the same reflection
coefficient, found from the reverberation time by Eyring's formula. From there on the images are so dense
that Gaussian noise with their expected energy takes their place. Left out: walls that absorb treble more than
bass, and delays of fractions of a sample.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SPEED_OF_SOUND = 343.0
EARLY_S = 0.05


def room_response(
    rt60_s: float, sample_rate: int, rng: np.random.Generator, distance_m: float = 0.5
) -> NDArray[np.float32]:
    """Impulse response from a talker to a microphone in a room drawn at random.

    Parameters
    ----------
    rt60_s
        Time in which the sound in the room falls by 60 dB, in seconds.
    sample_rate
        Samples per second of the response.
    rng
        Draws the size of the room (25 to 50 m3), the places in it and the tail.
    distance_m
        From the talker to the microphone, in metres, at most 0.9 so that both are inside the room.

    Returns
    -------
    NDArray
        Response of shape `[n]`. The direct sound is its first sample and is 1, so that convolving with it
        neither delays nor scales the direct sound.
    """
    if not 0 < distance_m <= 0.9:
        raise ValueError(f"distance_m must be in (0, 0.9], got {distance_m}")
    size_m = rng.uniform([3.8, 3.0, 2.4], [5.0, 3.8, 2.8])
    microphone_m = rng.uniform(1.0, size_m - 1.0)
    direction = rng.standard_normal(3)
    source_m = microphone_m + distance_m * direction / np.linalg.norm(direction)
    reflection = _wall_reflection(size_m, rt60_s)

    direct_delay = round(distance_m / SPEED_OF_SOUND * sample_rate)
    early_end = direct_delay + round(EARLY_S * sample_rate)
    n = max(early_end, round(rt60_s * sample_rate))
    response = np.zeros(n)

    path_m, bounces = _images(size_m, source_m, microphone_m, reach_m=early_end / sample_rate * SPEED_OF_SOUND)
    delays = np.rint(path_m / SPEED_OF_SOUND * sample_rate).astype(int)
    heard = delays < early_end
    np.add.at(response, delays[heard], reflection ** bounces[heard] * distance_m / path_m[heard])

    # 4 pi c^3 t^2 / V images arrive a second, each with the energy (distance / ct)^2 times the decay.
    time_s = np.arange(early_end, n) / sample_rate
    energy = distance_m**2 * 4 * np.pi * SPEED_OF_SOUND / np.prod(size_m) / sample_rate
    response[early_end:] = rng.standard_normal(n - early_end) * np.sqrt(energy * 10 ** (-6 * time_s / rt60_s))
    return response[direct_delay:].astype(np.float32)


def early_part(response: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """Direct sound and the reflections of the first 50 ms, which the ear takes as one with the voice."""
    return response[: round(EARLY_S * sample_rate)]


def _wall_reflection(size_m: NDArray[np.float64], rt60_s: float) -> float:
    """Pressure reflection coefficient of all walls, from Eyring: rt60 = 0.161 V / (-S ln(1 - absorption))."""
    surface = 2 * (size_m[0] * size_m[1] + size_m[0] * size_m[2] + size_m[1] * size_m[2])
    return float(np.exp(-0.5 * 0.161 * np.prod(size_m) / (surface * rt60_s)))


def _images(
    size_m: NDArray[np.float64],
    source_m: NDArray[np.float64],
    microphone_m: NDArray[np.float64],
    reach_m: float,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Path length in metres and number of wall bounces of every mirror image that can lie within reach."""
    squares, bounces = [], []
    for length, source, microphone in zip(size_m, source_m, microphone_m, strict=True):
        order = int(np.ceil(reach_m / (2 * length))) + 1
        cells = np.arange(-order, order + 1)
        along = np.concatenate([2 * cells * length + source, 2 * cells * length - source])
        squares.append((along - microphone) ** 2)
        bounces.append(np.concatenate([2 * np.abs(cells), np.abs(cells) + np.abs(cells - 1)]))
    path_m = np.sqrt(sum(np.ix_(*squares)))
    return path_m.ravel(), sum(np.ix_(*bounces)).ravel()
