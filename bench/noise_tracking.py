"""How true and how fast the noise trackers are, against noise whose spectrum is known.

The tests hold the same figures to bounds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from unmuffle.denoise.noise import Imcra, MinimumStatistics, NoiseEstimator, NoiseProfile, SppMmse
from unmuffle.signal.grid import Grid, grid_for
from unmuffle.signal.stft import StftStream

TRACKERS: dict[str, Callable[[], NoiseEstimator]] = {
    "SppMmse": SppMmse,
    "Imcra": Imcra,
    "MinimumStatistics": MinimumStatistics,
}
RATES = (8_000, 16_000, 48_000)
LEVEL = 0.01
SETTLING_S, STATIONARY_S = 2.0, 6.0
STEP_DB, STEP_AT_S, STEP_END_S = 10.0, 4.0, 9.0
ARRIVED_DB = 3.0
LONGEST_S = STEP_END_S - STEP_AT_S - 0.1
VOICE_SNR_DB = 10.0


@dataclass(frozen=True)
class Tracking:
    """What was measured of one tracker at one rate.

    Attributes
    ----------
    bias_db : float
        Mean estimate over the true PSD in stationary noise from 2 s on.
    spread_db : float
        Standard deviation, over bins and frames, of the estimate in dB.
    rise_s, fall_s : float
        Time to come within 3 dB of the truth, on the average over bins, after a step of 10 dB up or down.
    voice_db : float
        By how much a voice 10 dB above the noise raises the estimate up to 4 kHz.
    """

    bias_db: float
    spread_db: float
    rise_s: float
    fall_s: float
    voice_db: float


def colouring(colour: str, frequencies_hz: np.ndarray) -> np.ndarray:
    """Magnitude response that turns white noise into noise of a colour: "white", or "pink" above 30 Hz."""
    if colour == "white":
        return np.ones_like(frequencies_hz)
    return np.sqrt(1e3 / np.maximum(frequencies_hz, 30.0))


def make_noise(colour: str, rate: int, seconds: float, seed: int, level: float = LEVEL) -> np.ndarray:
    """Stationary Gaussian noise, float32 [1, samples]; ``level`` is the RMS it has if white."""
    samples = round(rate * seconds)
    white = np.random.default_rng(seed).standard_normal(samples) * level
    shaped = np.fft.rfft(white) * colouring(colour, np.fft.rfftfreq(samples, 1.0 / rate))
    return np.fft.irfft(shaped, samples).astype(np.float32)[None]


def true_psd(colour: str, grid: Grid, level: float = LEVEL) -> np.ndarray:
    """Expected squared magnitude [bins] of the noise in our frames, from its autocorrelation and the window's."""
    size = 16 * grid.window
    response = colouring(colour, np.fft.rfftfreq(size, 1.0 / grid.sample_rate))
    of_noise = np.fft.irfft(level**2 * response**2, size)[: grid.window]
    window = np.sin(np.pi * (np.arange(grid.window) + 0.5) / grid.window)
    of_window = np.correlate(window, window, "full")[grid.window - 1 :]
    one_sided = of_noise * of_window
    return 2.0 * np.fft.rfft(one_sided, 2 * grid.window).real[::2] - one_sided[0]


def make_voice(rate: int, seconds: float, seed: int = 0) -> np.ndarray:
    """A voice-like sound, float32 [1, samples] of RMS 1: gliding harmonics under formants, in syllables with pauses."""
    rng = np.random.default_rng(1000 + seed)
    time = np.arange(round(rate * seconds)) / rate
    pitch_hz = 120.0 + 15.0 * np.sin(2 * np.pi * 0.7 * time) + 8.0 * np.sin(2 * np.pi * 2.3 * time + 1.0)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / rate
    voice = np.zeros_like(time)
    for harmonic in range(1, int(min(5000.0, 0.45 * rate) / 145.0)):
        frequency = 120.0 * harmonic
        formants = sum(1.0 / (1.0 + ((frequency - centre) / 150.0) ** 2) for centre in (500.0, 1500.0, 2500.0))
        voice += (0.05 + formants) / harmonic**0.5 * np.sin(harmonic * phase + rng.uniform(0.0, 6.28))
    loudness = np.zeros_like(time)
    at = 0.1
    while at < seconds:
        length = rng.uniform(0.12, 0.35)
        inside = (time >= at) & (time < at + length)
        loudness[inside] = np.sin(np.pi * (time[inside] - at) / length) ** 0.5 * rng.uniform(0.5, 1.0)
        at += length + rng.uniform(0.05, 0.3)
    voice *= loudness
    return (voice / np.sqrt(np.mean(voice**2))).astype(np.float32)[None]


def track(estimator: NoiseEstimator, audio: np.ndarray, rate: int) -> np.ndarray:
    """Return the estimate after every frame of the audio [channels, samples], float32 [frames, channels, bins]."""
    grid = grid_for(rate)
    estimator.start(grid, len(audio))
    stream = StftStream(grid, len(audio))
    return np.array(
        [
            estimator.update(spectrum.real**2 + spectrum.imag**2).copy()
            for spectra in stream.analyze(audio)
            for spectrum in spectra
        ]
    )


def stationary_error(make: Callable[[], NoiseEstimator], rate: int, colour: str) -> tuple[float, float]:
    """Bias and spread of the estimate in dB in noise that does not change."""
    grid = grid_for(rate)
    ratio = track(make(), make_noise(colour, rate, STATIONARY_S, 1), rate)[:, 0] / true_psd(colour, grid)
    settled = ratio[grid.frames(SETTLING_S) :]
    return 10 * float(np.log10(settled.mean())), float((10 * np.log10(settled)).std())


def time_to_follow(make: Callable[[], NoiseEstimator], rate: int, step_db: float) -> float:
    """Seconds from a step of the noise level to the last frame whose estimate is more than 3 dB off."""
    grid = grid_for(rate)
    noise = make_noise("white", rate, STEP_END_S, 2)
    noise[:, round(STEP_AT_S * rate) :] *= 10.0 ** (step_db / 20.0)
    after = track(make(), noise, rate)[grid.frames(STEP_AT_S) :, 0] / (true_psd("white", grid) * 10 ** (step_db / 10))
    off = np.abs(10 * np.log10(after).mean(axis=-1)) > ARRIVED_DB
    return float((np.flatnonzero(off)[-1] + 1) * grid.hop_s) if off.any() else 0.0


def rise_by_voice(make: Callable[[], NoiseEstimator], rate: int) -> float:
    """By how many dB the estimate rises, mean over frames and bins up to 4 kHz, when a voice joins the noise."""
    grid = grid_for(rate)
    noise = make_noise("white", rate, STATIONARY_S, 3)
    voice = make_voice(rate, STATIONARY_S) * LEVEL * 10.0 ** (VOICE_SNR_DB / 20.0)
    alone, joined = (track(make(), audio, rate)[grid.frames(SETTLING_S) :, 0] for audio in (noise, noise + voice))
    rise = 10 * np.log10(joined / alone)
    return float(rise[:, grid.frequencies_hz <= 4000].mean())


def measure_tracker(make: Callable[[], NoiseEstimator], rate: int, colour: str = "white") -> Tracking:
    """Measure one tracker at one rate; the steps and the voice are always in white noise."""
    bias_db, spread_db = stationary_error(make, rate, colour)
    return Tracking(
        bias_db,
        spread_db,
        time_to_follow(make, rate, STEP_DB),
        time_to_follow(make, rate, -STEP_DB),
        rise_by_voice(make, rate),
    )


def measure() -> dict[str, Any]:
    """Return what was measured of every tracker, for the page of benchmarks."""
    rows = []
    for rate in RATES:
        profile = make_noise("white", rate, 2.0, 9)
        everyone = {**TRACKERS, "NoiseProfile of 2 s": partial(NoiseProfile, profile, rate)}
        for name, make in everyone.items():
            for colour in ("white", "pink") if name in TRACKERS else ("white",):
                figures = asdict(measure_tracker(make, rate, colour))
                rows.append({"tracker": name, "rate_hz": rate, "noise": colour, **figures})
    return {"rows": rows, "longest_s": LONGEST_S}
