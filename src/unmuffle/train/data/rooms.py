"""Room responses: image sources for the early part, decaying noise for the tail.

The direct sound and the reflections of the first 50 ms or so come from the image method (J. B. Allen and D. A. Berkley,
"Image method for efficiently simulating small-room acoustics", J. Acoust. Soc. Am. 65(4), 1979, eq. 8) for a box with
a directional source; absorption from Eyring's formula. Talkers are more directional above 1 kHz or so, and the air
takes high frequencies out of long paths (ISO 9613-1). From there on a room is diffuse: noise whose decay is faster at
higher frequencies, as walls and air absorb, joined at equal energy. That costs a few milliseconds a room, where
images to the end cost seconds.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from unmuffle.train.data.air import air_absorption_db

SPEED_OF_SOUND = 343.0
SMALLEST_M, LARGEST_M = (3.0, 2.5, 2.3), (10.0, 8.0, 4.0)
WALL_MARGIN_M = 0.5
SHORTEST_RT60_S, LONGEST_RT60_S = 0.15, 1.0
SPLIT_HZ, MORE_DIRECTIVITY = (500.0, 4_000.0), 0.35
"""Where the directivity of a voice rises, and by how much."""
SEGMENT_S = 0.01
JOIN_S = 0.02
TAIL_BANDS_HZ = (1_000.0, 4_000.0, 10_000.0)
TAIL_FACTORS = (1.1, 1.0, 0.7, 0.4)
"""Reverberation time in the bands below, between and above those frequencies, relative to that of the room."""

Floats = NDArray[np.float64]


def simulate_room(random: np.random.Generator, sample_rate: int = 48_000, *, air: bool = True) -> NDArray[np.float32]:
    """Return one random room response [samples] that begins with the direct sound, whose peak is 1.

    Parameters
    ----------
    random : Generator
        What all is drawn from; ``air`` does not change the draws.
    sample_rate : int, default 48,000
        In Hz.
    air : bool, default True
        Whether air absorbs and directivity rises with frequency in the early part.
    """
    size = random.uniform(SMALLEST_M, LARGEST_M)
    rt60_s = float(np.exp(random.uniform(np.log(SHORTEST_RT60_S), np.log(LONGEST_RT60_S))))
    microphone = random.uniform(WALL_MARGIN_M, size - WALL_MARGIN_M)
    source = _near(random, microphone, size)
    early = _images(random, size, source, microphone, _reflection(size, rt60_s), sample_rate, air)
    response = _with_tail(random, early, rt60_s, sample_rate)
    return (response / np.abs(response).max()).astype(np.float32)


def _near(random: np.random.Generator, microphone: Floats, size: Floats) -> Floats:
    """Return a source 0.3 to 3 m from the microphone and inside the walls."""
    direction = random.standard_normal(3) * (1, 1, 0.3)
    offset = direction / np.linalg.norm(direction) * random.uniform(0.3, 3.0)
    return np.asarray(np.clip(microphone + offset, 0.2, size - 0.2))


def _reflection(size: Floats, rt60_s: float) -> float:
    """Pressure reflected by a wall, from Eyring: alpha = 1 - exp(-0.161 V / (S T))."""
    volume = np.prod(size)
    surface = 2 * (size[0] * size[1] + size[1] * size[2] + size[0] * size[2])
    return float(np.sqrt(np.exp(-0.161 * volume / (surface * rt60_s))))


def _images(
    random: np.random.Generator,
    size: Floats,
    source: Floats,
    microphone: Floats,
    reflection: float,
    rate: int,
    air: bool = True,
) -> Floats:
    mixing_s = random.uniform(0.05, 0.08)
    reach = int(np.ceil(mixing_s * SPEED_OF_SOUND / (2 * size.min()))) + 1
    orders = np.array(list(product(range(-reach, reach + 1), repeat=3)))
    mirrored = np.array(list(product((0, 1), repeat=3)))
    images = (1 - 2 * mirrored)[:, None] * source + 2 * orders * size
    paths = microphone - images
    distance = np.maximum(np.linalg.norm(paths, axis=-1), 0.1)
    bounces = np.abs(orders - mirrored[:, None]).sum(-1) + np.abs(orders).sum(-1)
    facing = _facing(random, microphone - source)
    cosine = ((paths * (1 - 2 * mirrored)[:, None]) @ facing) / distance
    directivity = random.uniform(0.0, 0.6)
    # Beginning with the direct sound.
    delay = (distance - distance.min()) / SPEED_OF_SOUND * rate
    spreading = reflection**bounces / distance
    length = int(mixing_s * rate)
    early = _impulses(delay, spreading * _towards(cosine, directivity), length)
    if not air:
        return early
    more = _towards(cosine, directivity + MORE_DIRECTIVITY)
    # Both halves have the direct sound alike, so that it is put together again without a trace.
    more *= (_towards(cosine, directivity) / more)[np.unravel_index(np.argmin(distance), distance.shape)]
    return _through_air(_split_joined(early, _impulses(delay, spreading * more, length), rate), rate)


def _towards(cosine: Floats, directivity: float) -> Floats:
    """Gain of a source in a direction: 1 in front, from a sphere (0) to a cardioid (1)."""
    return np.asarray((1 + directivity * cosine) / (1 + directivity))


def _impulses(delay: Floats, gain: Floats, length: int) -> Floats:
    """Put impulses at delays in samples, spread over the two samples next to them."""
    heard = delay < length - 1
    whole = delay[heard].astype(int)
    part = delay[heard] - whole
    return np.asarray(
        np.bincount(whole, gain[heard] * (1 - part), length) + np.bincount(whole + 1, gain[heard] * part, length)
    )


def _split_joined(low: Floats, high: Floats, rate: int) -> Floats:
    """Return the low frequencies of one response and the high ones of another."""
    size = 2 * len(low)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(size, 1 / rate), 1.0))
    first, last = np.log2(SPLIT_HZ)
    share = 0.5 - 0.5 * np.cos(np.pi * np.clip((octaves - first) / (last - first), 0, 1))
    spectrum = np.fft.rfft(low, size) * (1 - share) + np.fft.rfft(high, size) * share
    return np.asarray(np.fft.irfft(spectrum, size)[: len(low)])


def _through_air(response: Floats, rate: int) -> Floats:
    """Take out of a response what air absorbs on paths that are longer than the direct one, segment by segment."""
    hop = round(SEGMENT_S * rate)
    size = 4 * hop
    loss_db = air_absorption_db(np.fft.rfftfreq(size, 1 / rate))
    window = 1 - np.abs(np.arange(-hop, hop)) / hop
    padded = np.concatenate([np.zeros(hop), response, np.zeros(4 * hop)])
    heard = np.zeros_like(padded)
    for number, start in enumerate(range(0, len(response) + hop, hop)):
        path_m = number * SEGMENT_S * SPEED_OF_SOUND
        piece = np.fft.rfft(padded[start : start + 2 * hop] * window, size) * 10 ** (-loss_db * path_m / 20)
        heard[start : start + size] += np.fft.irfft(piece, size)
    return heard[hop : hop + len(response)]


def _facing(random: np.random.Generator, towards: Floats) -> Floats:
    """Where the talker faces: mostly the microphone."""
    facing = towards / max(float(np.linalg.norm(towards)), 1e-6) + 0.5 * random.standard_normal(3)
    return np.asarray(facing / np.linalg.norm(facing))


def _with_tail(random: np.random.Generator, early: Floats, rt60_s: float, rate: int) -> Floats:
    join = int(JOIN_S * rate)
    length = len(early) + int(rt60_s * rate)
    time_s = np.arange(length) / rate
    spectrum = np.fft.rfft(random.standard_normal(length))
    edges = np.searchsorted(np.fft.rfftfreq(length, 1 / rate), (0.0, *TAIL_BANDS_HZ, rate))
    tail = np.zeros(length)
    for factor, low, high in zip(TAIL_FACTORS, edges[:-1], edges[1:], strict=True):
        band = np.zeros_like(spectrum)
        band[low:high] = spectrum[low:high]
        tail += np.fft.irfft(band, length) * np.exp(-3 * np.log(10) / (rt60_s * factor) * time_s)
    meeting = slice(len(early) - join, len(early))
    tail *= np.sqrt(np.sum(early[meeting] ** 2) / max(float(np.sum(tail[meeting] ** 2)), 1e-20))
    fade = np.zeros(length)
    fade[meeting] = np.sin(0.5 * np.pi * (np.arange(join) + 0.5) / join)
    fade[len(early) :] = 1.0
    response = tail * fade
    response[: len(early)] += early * np.sqrt(1 - fade[: len(early)] ** 2)
    return response
