"""Signals the measures are tried on: what is in them is known from how they are made."""

from __future__ import annotations

import numpy as np
from scipy.signal import firwin, lfilter, oaconvolve

FORMANTS_HZ = ((600.0, 80.0), (1500.0, 120.0), (2600.0, 180.0), (3500.0, 250.0))


def noise(rate: int, seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(round(rate * seconds))


def low_passed(audio: np.ndarray, rate: int, cutoff_hz: float) -> np.ndarray:
    """Linear-phase low-pass, 80 dB down within 2 % of half the rate of its cut-off."""
    taps = firwin(501, cutoff_hz, fs=rate, window=("kaiser", 8.0))
    return oaconvolve(audio, taps, mode="same")


def active_power(speech: np.ndarray, rate: int) -> float:
    """Mean square of the 20 ms frames less than 25 dB below the loud ones."""
    frame = rate // 50
    power = np.square(speech[: speech.size // frame * frame].reshape(-1, frame)).mean(axis=1)
    return float(power[power > np.quantile(power, 0.95) * 10.0**-2.5].mean())


def speech_like(rate: int, seconds: float, seed: int = 0, pitch_hz: float = 130.0) -> np.ndarray:
    """Syllables of a voice whose pitch wanders, with formants, fricatives and pauses; RMS about -20 dBFS."""
    rng = np.random.default_rng(seed)
    voice = np.zeros(round(rate * seconds))
    at = int(0.2 * rate)
    while at < voice.size:
        vowel = _vowel(rate, rng.uniform(0.12, 0.3), pitch_hz * rng.uniform(0.85, 1.25), rng)
        fricative = _fricative(rate, rng.uniform(0.05, 0.12), rng)
        for sound in (vowel * rng.uniform(0.4, 1.0), fricative * rng.uniform(0.1, 0.3)):
            room = voice[at : at + sound.size]
            room += sound[: room.size]
            at += sound.size
        at += int(rate * (rng.uniform(0.3, 0.8) if rng.random() < 0.25 else rng.uniform(0.0, 0.08)))
    return 0.1 * voice / np.sqrt(np.square(voice).mean())


def _vowel(rate: int, seconds: float, pitch_hz: float, rng: np.random.Generator) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    contour = pitch_hz * (1.0 + 0.12 * np.sin(2.0 * np.pi * time * rng.uniform(1.0, 3.0) + rng.uniform(0.0, 6.0)))
    phase = np.cumsum(contour) / rate
    sound = np.diff(np.floor(phase), prepend=0.0) + 1e-3 * rng.standard_normal(time.size)
    for hz, width in FORMANTS_HZ:
        radius = np.exp(-np.pi * width / rate)
        angle = 2.0 * np.pi * hz * rng.uniform(0.85, 1.15) / rate
        sound = lfilter([1.0 - radius], [1.0, -2.0 * radius * np.cos(angle), radius**2], sound)
    sound *= np.hanning(sound.size)
    return sound / (np.abs(sound).max() + 1e-12)


def _fricative(rate: int, seconds: float, rng: np.random.Generator) -> np.ndarray:
    sound = lfilter([1.0, -0.9], [1.0, 0.3], rng.standard_normal(round(seconds * rate)))
    sound *= np.hanning(sound.size)
    return sound / (np.abs(sound).max() + 1e-12)
