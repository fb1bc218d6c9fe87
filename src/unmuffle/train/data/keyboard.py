"""Typing on a keyboard: bursts of keystrokes, each a click going down and a softer one coming up.

A click is a few milliseconds of noise through the resonances of the key and the case, over a dull thump of the table.
Keys of one keyboard are alike; the pace is that of people who type: 3 to 11 strokes a second with pauses for thought
(V. Dhakal et al., "Observations on typing from 136 million keystrokes", CHI 2018, for the intervals).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from unmuffle.train.data.filters import Clip

INTERVAL_S, SPREAD = (0.09, 0.3), 0.45
"""Median time between strokes of a typist, and the standard deviation of its logarithm."""
PAUSE_CHANCE, PAUSE_S = 0.08, (0.4, 1.5)
HELD_S = (0.05, 0.12)
CLICK_S, STROKE_S = (0.002, 0.012), 0.06
RESONANCES = 4
RESONANCE_HZ, THUMP_HZ = (900.0, 9_000.0), (90.0, 260.0)


def typing_noise(random: np.random.Generator, samples: int, rate: int) -> Clip:
    """Return a keyboard being typed on [samples], with mean square 1; there is at least one stroke."""
    length = round(STROKE_S * rate)
    keyboard = _keyboard(random, rate)
    noise = np.zeros(samples + length, np.float32)
    for time_s, strength in stroke_times(random, samples / rate):
        start = int(time_s * rate)
        noise[start : start + length] += np.float32(strength) * _click(random, keyboard, length, rate)
    noise = noise[:samples]
    return noise / np.float32(np.sqrt(np.mean(np.square(noise, dtype=np.float64))))


def stroke_times(random: np.random.Generator, seconds: float) -> list[tuple[float, float]]:
    """Return the times in s of the clicks, keys going down and coming up, and how strong they are."""
    interval_s = random.uniform(*INTERVAL_S)
    # The first stroke is early enough to be heard in the shortest clip.
    now, clicks = random.uniform(0, min(0.3, 0.5 * seconds)), []
    while now < seconds:
        strength = random.uniform(0.5, 1.0)
        clicks.append((now, strength))
        up = now + random.uniform(*HELD_S)
        if up < seconds:
            clicks.append((up, strength * random.uniform(0.2, 0.6)))
        now += interval_s * float(np.exp(SPREAD * random.standard_normal()))
        if random.random() < PAUSE_CHANCE:
            now += random.uniform(*PAUSE_S)
    return clicks


def _keyboard(random: np.random.Generator, rate: int) -> NDArray[np.float64]:
    """Draw what the keys of a keyboard share: frequencies in Hz of its resonances, strengths, and its thump."""
    highest = min(RESONANCE_HZ[1], 0.45 * rate)
    resonances = np.exp(random.uniform(np.log(RESONANCE_HZ[0]), np.log(highest), RESONANCES))
    return np.concatenate([resonances, random.uniform(0.3, 1, RESONANCES), [random.uniform(*THUMP_HZ)]])


def _click(random: np.random.Generator, keyboard: NDArray[np.float64], length: int, rate: int) -> Clip:
    """Return one click [length]: noise that dies within milliseconds, ringing a little, over a thump."""
    time_s = np.arange(length) / rate
    decay_s = random.uniform(*CLICK_S)
    centres = keyboard[:RESONANCES] * random.uniform(0.93, 1.07, RESONANCES)
    frequencies = np.fft.rfftfreq(length, 1 / rate)[:, None]
    peaks = keyboard[RESONANCES:-1] / (1 + ((frequencies - centres) / (0.15 * centres)) ** 2)
    burst = random.standard_normal(length) * np.exp(-time_s / decay_s)
    click = irfft(rfft(burst) * (0.08 + peaks.sum(1)), length)
    thump = np.sin(2 * np.pi * keyboard[-1] * time_s) * np.exp(-time_s / 0.012)
    return np.asarray(click + random.uniform(0.1, 0.6) * thump, np.float32)
