"""Consistent sparse rebuilding of clipped frames.

Looked for is the frame whose spectrum is sparsest among those that agree with all that is known: reliable samples are
as they were, clipped ones at least as large as what was left of them. The iteration is that of S-SPADE (P. Zaviska,
P. Rajmic, O. Mokry and Z. Prusa, "A proper version of synthesis-based sparse audio declipper", ICASSP 2019), ADMM
between the spectrum and the waveform, with two changes that raised the gain on clipped speech and let many frames run
in step:

- instead of keeping the k largest coefficients, with k growing, it shrinks all of them by the empirical Wiener rule
  with a falling threshold (K. Siedenburg, M. Kowalski and M. Doerfler, "Audio declipping with social sparsity",
  ICASSP 2014, eq. 7, neighbourhoods of one coefficient);
- the threshold grows with frequency, since voices fall off there (P. Zaviska, P. Rajmic and J. Schimmel,
  "Psychoacoustically motivated audio declipping based on weighted l1 minimization", TSP 2019, use a parabola), and
  the more so the more of the frame is lost.

Left out: redundant frames (no gain with windows that overlap by three quarters) and a stop on convergence.
"""

from __future__ import annotations

import numpy as np

from unmuffle.signal.arrays import ComplexArray, FloatArray

_ITERATIONS = 80
_LAST_THRESHOLD = 3e-3
_BEND = 0.5
_TILT_HZ = 4000.0
_TILT_BY_SHARE = 5.0


def rebuild(frames: FloatArray, lower: FloatArray, upper: FloatArray, sample_rate: int) -> FloatArray:
    """Return the sparsest frames within bounds.

    Parameters
    ----------
    frames : float64 [frames, window]
        Windowed frames, clipped.
    lower, upper : float64 [frames, window]
        What each sample may be; equal where it is reliable.
    sample_rate : int
        In Hz.

    Returns
    -------
    float64 [frames, window]
    """
    from scipy import fft

    window = frames.shape[1]
    scales = np.abs(frames).max(axis=1, keepdims=True)
    # Single precision is enough for a frame of known size, and twice as fast.
    rebuilt, lower, upper = ((each / scales).astype(np.float32) for each in (frames, lower, upper))
    spectra = fft.rfft(rebuilt, axis=1, norm="ortho")
    weights = _weights(spectra, (upper != lower).mean(axis=1, keepdims=True), sample_rate)
    dual = np.zeros_like(spectra)
    for turn in np.linspace(0.0, 1.0, _ITERATIONS):
        threshold = weights * np.float32(_LAST_THRESHOLD ** (2.0 * turn**_BEND))
        shifted = spectra + dual
        sparse = shifted * _shrinkage(shifted.real**2 + shifted.imag**2, threshold)
        rebuilt = np.clip(fft.irfft(sparse - dual, window, axis=1, norm="ortho"), lower, upper)
        spectra = fft.rfft(rebuilt, axis=1, norm="ortho")
        dual += spectra - sparse
    return rebuilt * scales


def _weights(spectra: ComplexArray, lost: FloatArray, sample_rate: int) -> FloatArray:
    """Return the squares of the first thresholds, float32 [frames, bins], from the share lost of each frame."""
    hz = np.linspace(0.0, 0.5 * sample_rate, spectra.shape[1])
    tilt = 1.0 + hz / (_TILT_HZ * np.exp(-_TILT_BY_SHARE * lost))
    first = tilt * (np.abs(spectra) / tilt).max(axis=1, keepdims=True)
    return np.square(first).astype(np.float32)


def _shrinkage(power: FloatArray, threshold: FloatArray) -> FloatArray:
    return np.maximum(1.0 - threshold / np.maximum(power, threshold), 0.0)
