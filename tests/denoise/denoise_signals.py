"""Noise and voice for the tests of this folder, and the measures they are held to."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np

from unmuffle.denoise import METHODS, SpectralProcessor

RATES = [8000, 16000, 48000]


def _load_bench(name: str):
    """Import a script of the bench folder, which is not a package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[2] / "bench" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


noise_tracking = _load_bench("noise_tracking")
make_noise, make_voice = noise_tracking.make_noise, noise_tracking.make_voice


def noisy_voice(colour: str, rate: int, seconds: float, snr_db: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """The mixture and the voice in it, float32 [1, samples]; the voice has an RMS of 0.05."""
    voice = np.float32(0.05) * make_voice(rate, seconds)
    noise = make_noise(colour, rate, seconds, seed)
    noise *= np.sqrt(np.mean(voice**2) / np.mean(noise**2)) * 10.0 ** (-snr_db / 20.0)
    return voice + noise, voice


def si_sdr(estimate: np.ndarray, reference: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux et al., ICASSP 2019)."""
    estimate, reference = estimate.astype(np.float64).ravel(), reference.astype(np.float64).ravel()
    target = (estimate @ reference) / (reference @ reference) * reference
    return float(10 * np.log10(np.sum(target**2) / np.sum((target - estimate) ** 2)))


def denoised(method: str, audio: np.ndarray, rate: int, **options) -> np.ndarray:
    processor = SpectralProcessor(METHODS[method].make(None), rate, len(audio), **options)
    return np.concatenate((processor.process(audio), processor.flush()), axis=1)


def rms(audio: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64))))


def frames_of(audio: np.ndarray, hop: int) -> np.ndarray:
    """Spectra [frames, bins] in float64 of one channel; the first frame is half before the first sample."""
    padded = np.concatenate((np.zeros(hop), audio.astype(np.float64)))
    window = np.sin(np.pi * (np.arange(2 * hop) + 0.5) / (2 * hop))
    starts = range(0, len(padded) - 2 * hop + 1, hop)
    return np.array([np.fft.rfft(window * padded[start : start + 2 * hop]) for start in starts])
