"""Spectral features: centroid, bandwidth, flatness and roll-off, each the mean over frames in which there is sound.

G. Peeters, "A large set of audio features for sound description", CUIDADO report, Ircam 2004 (sections 6.1.1 to 6.1.5),
taken as librosa takes them, so that figures compare: centroid, bandwidth (the standard deviation about the centroid)
and roll-off (the frequency below which 85 % lie) of the magnitudes, flatness (geometric over arithmetic mean; J.
Johnston, IEEE JSAC 6(2), 1988) of the powers. Frames are the periodic Hann windows of 32 ms every 16 ms that this
package works with; those more than 25 dB below the loud ones (95th percentile) are pauses and left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmuffle.measure.single.checks import checked_recording
from unmuffle.measure.single.framing import Framer, hann
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.grid import grid_for

ROLLOFF_SHARE = 0.85

_BELOW_LOUD_DB = 25.0
_LOUD_SHARE = 0.95
_SMALLEST_POWER = 1e-10
_FRAMES_AT_ONCE = 256
_LEAST_S = 0.04


@dataclass(frozen=True)
class SpectralFeatures:
    """Where the energy lies in frequency, and how evenly.

    Attributes
    ----------
    centroid_hz, bandwidth_hz : float
        Mean frequency, and spread about it.
    flatness : float
        0 (tones) to 1 (white noise has .56 in single frames).
    rolloff_hz : float
        Below it lie 85 % of the magnitudes.
    """

    centroid_hz: float
    bandwidth_hz: float
    flatness: float
    rolloff_hz: float


def spectral_features(audio: npt.ArrayLike, sample_rate: int) -> SpectralFeatures:
    """Return the spectral features of a recording, at its own rate.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``; frames of all channels count alike. At least 0.04 s.
    sample_rate : int
        In Hz, 8,000 to 192,000. Figures of different rates compare only where the audio has the same band.

    Raises
    ------
    InvalidAudioError
        If the audio is too short, silent, or holds NaN or infinity.
    InvalidParameterError
        If the rate is outside its range.
    """
    samples = checked_recording(audio, sample_rate, "spectral features", _LEAST_S)
    grid = grid_for(sample_rate)
    framer = Framer(samples.shape[0], grid.window, grid.hop)
    window = hann(grid.window)
    step = _FRAMES_AT_ONCE * grid.hop
    rows = []
    for start in range(0, samples.shape[1], step):
        frames = framer.push(samples[:, start : start + step])
        rows.append(_features(np.abs(np.fft.rfft(frames * window, axis=2)), grid.frequencies_hz))
    power, *features = np.concatenate(rows, axis=1)
    active = power > np.quantile(power[power > 0.0], _LOUD_SHARE) * 10.0 ** (-_BELOW_LOUD_DB / 10.0)
    return SpectralFeatures(*(float(feature[active].mean()) for feature in features))


def _features(magnitude: FloatArray, hz: FloatArray) -> npt.NDArray[np.float64]:
    """Return power, centroid, bandwidth, flatness and roll-off of magnitudes [channels, frames, bins], [5, frames]."""
    magnitude = magnitude.reshape(-1, hz.size).astype(np.float64)
    total = magnitude.sum(axis=1)
    share = magnitude / np.maximum(total, np.finfo(np.float64).tiny)[:, None]
    centroid = share @ hz
    spread = np.sqrt(np.einsum("fb,fb->f", share, np.square(hz - centroid[:, None])))
    power = np.maximum(np.square(magnitude), _SMALLEST_POWER)
    flatness = np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1)
    rolloff = hz[(share.cumsum(axis=1) >= ROLLOFF_SHARE).argmax(axis=1)]
    return np.stack([np.square(magnitude).sum(axis=1), centroid, spread, flatness, rolloff])
