"""Speech of known words in noise, and damage done to it at a known strength."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft, rfft
from scipy.signal import lfilter

BLOCK_S = 0.05
FORMANTS_HZ = ((500.0, 90.0), (1500.0, 130.0), (2600.0, 200.0), (5500.0, 900.0), (10_000.0, 2_000.0))


@dataclass(frozen=True)
class Scene:
    """Words and noise, each alone, and where the words are (first sample, end)."""

    speech: np.ndarray
    noise: np.ndarray
    words: tuple[tuple[int, int], ...]
    rate: int

    @property
    def mix(self) -> np.ndarray:
        return self.speech + self.noise


def scene(rate: int = 16_000, seconds: float = 12.0, snr_db: float = 20.0, seed: int = 0) -> Scene:
    """Words of 0.4 to 0.6 s, half a second and more apart, in white noise; speech about -23 dBFS where active."""
    rng = np.random.default_rng(seed)
    speech = np.zeros(round(rate * seconds))
    words = []
    at = round(0.6 * rate)
    while True:
        word = _word(rate, rng)
        if at + word.size + rate // 2 > speech.size:
            break
        speech[at : at + word.size] = word
        words.append((at, at + word.size))
        at += word.size + round(rng.uniform(0.5, 0.8) * rate)
    active = np.concatenate([speech[start:stop] for start, stop in words])
    speech *= 0.07 / np.sqrt(np.square(active).mean())
    noise = rng.standard_normal(speech.size) * 0.07 * 10.0 ** (-snr_db / 20.0)
    return Scene(speech, noise, tuple(words), rate)


def _word(rate: int, rng: np.random.Generator) -> np.ndarray:
    parts = [_vowel(rate, rng.uniform(0.15, 0.22), rng), _hiss(rate, rng.uniform(0.07, 0.1), rng)]
    return np.concatenate([*parts, _vowel(rate, rng.uniform(0.15, 0.25), rng)])


def _vowel(rate: int, seconds: float, rng: np.random.Generator) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    pitch = rng.uniform(100.0, 200.0) * (1.0 + 0.1 * np.sin(2.0 * np.pi * rng.uniform(1.0, 3.0) * time))
    sound = np.diff(np.floor(np.cumsum(pitch) / rate), prepend=0.0) + 0.02 * rng.standard_normal(time.size)
    # A glottal pulse is no click: its spectrum falls by 12 dB an octave from some 500 Hz up.
    smooth = np.exp(-2.0 * np.pi * 500.0 / rate)
    sound = lfilter([(1.0 - smooth) ** 2], [1.0, -2.0 * smooth, smooth**2], sound)
    total = np.zeros(time.size)
    for hz, width in FORMANTS_HZ:
        if hz < 0.45 * rate:
            radius = np.exp(-np.pi * width / rate)
            angle = 2.0 * np.pi * hz * rng.uniform(0.9, 1.1) / rate
            total += lfilter([1.0 - radius], [1.0, -2.0 * radius * np.cos(angle), radius**2], sound)
    return _ramped(total / np.sqrt(np.square(total).mean()), rate)


def _hiss(rate: int, seconds: float, rng: np.random.Generator) -> np.ndarray:
    sound = lfilter([1.0, -0.9], [1.0], rng.standard_normal(round(seconds * rate)))
    return 0.6 * _ramped(sound / np.sqrt(np.square(sound).mean()), rate)


def _ramped(sound: np.ndarray, rate: int) -> np.ndarray:
    edge = round(0.008 * rate)
    ramp = np.minimum(1.0, np.minimum(np.arange(sound.size) + 1, np.arange(sound.size)[::-1] + 1) / edge)
    return sound * ramp


def gain(strength_db: float) -> float:
    return 10.0 ** (strength_db / 20.0)


def attenuated(here: Scene, db: float) -> np.ndarray:
    """Everything softer by so much."""
    return gain(-db) * here.mix


def subtracted(noise: np.ndarray, beta: float, floor: float = 0.0, rate: int = 16_000) -> np.ndarray:
    """Power subtraction of ``beta`` times the known mean power from white noise, ``floor`` of the magnitude left."""
    size = 2 * round(0.016 * rate)
    hop = size // 2
    window = np.sin(np.pi * (np.arange(size) + 0.5) / size)
    padded = np.pad(noise, (hop, 2 * size))
    result = np.zeros(padded.size)
    expected = np.square(noise).mean() * np.square(window).sum()
    for start in range(0, padded.size - size + 1, hop):
        spectrum = rfft(padded[start : start + size] * window)
        power = np.abs(spectrum) ** 2
        left = power - beta * expected
        share = np.where(left > 0.0, left / np.maximum(power, 1e-30), floor**2)
        result[start : start + size] += irfft(spectrum * np.sqrt(share), size) * window
    return result[hop : hop + noise.size]


def with_musical_noise(here: Scene, beta: float) -> np.ndarray:
    return here.speech + subtracted(here.noise, beta, rate=here.rate)


def with_ripple(here: Scene, db: float) -> np.ndarray:
    """All is filtered by a gain that swings by so many dB to either side, once every 500 Hz."""
    spectrum = rfft(here.mix)
    hz = np.arange(spectrum.size) * here.rate / here.mix.size
    return irfft(spectrum * gain(db * np.cos(2.0 * np.pi * hz / 500.0)), here.mix.size)


def with_cut_onsets(here: Scene, db: float, cut_s: float = 0.05) -> np.ndarray:
    """The first 50 ms of each word softer by so much."""
    speech = here.speech.copy()
    for start, _ in here.words:
        speech[start : start + round(cut_s * here.rate)] *= gain(-db)
    return speech + here.noise


def without_highs(here: Scene, db: float, above_hz: float = 4_000.0) -> np.ndarray:
    """All above 4 kHz softer by so much."""
    spectrum = rfft(here.mix)
    hz = np.arange(spectrum.size) * here.rate / here.mix.size
    return irfft(np.where(hz > above_hz, gain(-db), 1.0) * spectrum, here.mix.size)


def gated(here: Scene, db: float, hold_s: float = 0.06) -> np.ndarray:
    """The noise softer by so much from 60 ms after each word to the next."""
    hold, ramp = round(hold_s * here.rate), round(0.004 * here.rate)
    open_ = np.zeros(here.noise.size)
    for start, stop in here.words:
        open_[start : stop + hold] = 1.0
    open_ = np.convolve(open_, np.full(ramp, 1.0 / ramp), "same")
    return here.speech + here.noise * (gain(-db) + (1.0 - gain(-db)) * open_)


def pumped(here: Scene, db: float, release_s: float = 0.25) -> np.ndarray:
    """The noise falls, in dB, towards so much after each word and comes back within the first 20 ms of the next."""
    depth = np.ones(here.noise.size)
    for start, stop in here.words:
        depth[start:stop] = 0.0
    # A fall with a long time constant, a rise with a short one.
    state, course = 1.0, np.empty(depth.size)
    fall, rise = 1.0 - np.exp(-1.0 / (release_s * here.rate)), 1.0 - np.exp(-1.0 / (0.02 * here.rate))
    for index, wanted in enumerate(depth):
        state += (fall if wanted > state else rise) * (wanted - state)
        course[index] = state
    return here.speech + here.noise * gain(-db * course)


def with_clicks(here: Scene, share: float, block_s: float = BLOCK_S) -> np.ndarray:
    """At the border of every block of 50 ms a jump, by a share of the active speech's level."""
    blocks = np.arange(here.mix.size) // round(block_s * here.rate)
    return here.mix + 0.07 * share * (blocks % 2)


def with_soft_speech(here: Scene, db: float) -> np.ndarray:
    """The speech softer by so much, the noise as it was."""
    return gain(-db) * here.speech + here.noise
