"""Which cells of the time-frequency plane hold speech, which hold noise, and in which frames nobody speaks.

With a clean reference this is known: its cells are held against those of the rest, original less reference. Blind, the
noise is tracked as the minimum of the smoothed power over 1.5 s, after R. Martin, "Noise power spectral density
estimation based on optimal smoothing and minimum statistics", IEEE Trans. Speech Audio Process. 9(5), 2001, with a
fixed smoothing and a fixed bias, and every cell 10 dB above it is taken for speech: a noise that comes and goes (dogs,
keyboards) is then taken for speech as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unmuffle.signal.arrays import BoolArray, ComplexArray, FloatArray
from unmuffle.signal.grid import Grid
from unmuffle.signal.moving import moving_minimum

LOWEST_HZ = 100.0
SPEECH_BAND_HZ = (150.0, 4_000.0)
HALO_S = 0.85
"""How far to either side the tracking of the noise looks."""

_SPEECH_OVER_NOISE = 10.0
_AROUND_OVER_NOISE = 5.0
_NOISE_OVER_SPEECH = 100.0
_NOISE_BELOW, _AROUND_BELOW = 4.0, 1.5
"""A cell is noise if it and the mean around it are less than this many times the tracked noise."""

_NEVER_BELOW = 1e-7
"""Cells of less than this share of the mean power (-70 dB) count neither as speech nor as noise."""

_TINY = 1e-30
"""What silent channels are divided by."""

_QUIET_REFERENCE = 3e-3
_SMOOTHING_S, _SEARCH_S = 0.112, 1.536
_BIAS = 2.05
"""Mean over minimum of the smoothed power of white noise, found by simulation; a test holds it."""


@dataclass(frozen=True)
class Cells:
    """A stretch of one channel, all arrays [frames, bins].

    Attributes
    ----------
    original, enhanced : float32
        Power.
    spectra : tuple of complex64 arrays
        Of original and enhanced.
    noise_psd : float32
        Noise power expected in the original.
    speech, noise : bool
        Cells that hold mostly the one or the other.
    talking : float32 [frames]
        Share of speech cells between 150 Hz and 4 kHz.
    pause : bool [frames]
        Whether nobody speaks.
    """

    original: FloatArray
    enhanced: FloatArray
    spectra: tuple[ComplexArray, ComplexArray]
    noise_psd: FloatArray
    speech: BoolArray
    noise: BoolArray
    talking: FloatArray
    pause: BoolArray


@dataclass(frozen=True)
class Levels:
    """What is known of a whole channel before its cells are judged.

    Attributes
    ----------
    mean_power : float
        Mean power of a cell of the original.
    reference_scale : float
        What the reference is multiplied with to be the speech of the original.
    loud_frame : float
        Mean power of a cell in the loud frames of the reference, so scaled; 0 without one.
    """

    mean_power: float
    reference_scale: float = 1.0
    loud_frame: float = 0.0


def power_of(spectra: ComplexArray) -> FloatArray:
    """Return squared magnitudes."""
    return spectra.real**2 + spectra.imag**2


def judge(spectra: list[ComplexArray], grid: Grid, levels: Levels) -> Cells:
    """Return the cells of the spectra [frames, bins] of original, enhanced and, where there is one, reference."""
    original, enhanced = power_of(spectra[0]), power_of(spectra[1])
    least = np.float32(max(_NEVER_BELOW * levels.mean_power, _TINY))
    noise_psd = np.maximum(track_noise(original, grid), least)
    if len(spectra) == 3:
        speech, noise, quiet = _known(spectra[0], spectra[2], levels, least)
    else:
        around = _averaged(original, 3, 3)
        speech = (original > _SPEECH_OVER_NOISE * noise_psd) & (around > _AROUND_OVER_NOISE * noise_psd)
        noise = (original < _NOISE_BELOW * noise_psd) & (around < _AROUND_BELOW * noise_psd) & (original > least)
        quiet = np.ones(len(original), np.bool_)
    # What is below is rumble, and jumps of the offset, of which a single cell outweighs all others.
    noise[:, : round(LOWEST_HZ / grid.bin_hz)] = False
    low, high = (round(hz / grid.bin_hz) for hz in SPEECH_BAND_HZ)
    talking = speech[:, low:high].mean(axis=1, dtype=np.float32)
    return Cells(
        original, enhanced, (spectra[0], spectra[1]), noise_psd, speech, noise, talking, quiet & (talking < 0.02)
    )


def _known(
    original: ComplexArray, reference: ComplexArray, levels: Levels, least: np.float32
) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Return speech cells, noise cells and the frames in which the reference is quiet."""
    clean = np.complex64(levels.reference_scale) * reference
    voice = power_of(clean)
    rest = _averaged(power_of(original - clean), 3, 3)
    speech = (voice > _SPEECH_OVER_NOISE * rest) & (voice > least)
    noise = (rest > _NOISE_OVER_SPEECH * voice) & (power_of(original) > least)
    quiet = voice.mean(axis=1) < _QUIET_REFERENCE * levels.loud_frame
    return speech & ~quiet[:, None], noise, quiet


def track_noise(power: FloatArray, grid: Grid) -> FloatArray:
    """Return the noise power that underlies power [frames, bins]."""
    smoothed = _averaged(power, grid.frames(_SMOOTHING_S), 3)
    lowest = moving_minimum(smoothed, grid.frames(_SEARCH_S) | 1, axis=0)
    return np.float32(_BIAS) * lowest


def _averaged(power: FloatArray, frames: int, bins: int) -> FloatArray:
    from scipy.ndimage import uniform_filter

    # The running sum leaves rests of either sign behind loud sounds.
    return np.maximum(uniform_filter(power, (frames, bins), mode="nearest"), 0.0)
