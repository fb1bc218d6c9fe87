"""Linear prediction of many frames at once: autocorrelation and Levinson-Durbin (Rabiner and Schafer 1978, 8.3.2)."""

from __future__ import annotations

import numpy as np

from unmuffle.measure.reference.paired_frames import Floats

_DITHER = 1e-12
"""White noise at -120 dBFS, far below 16-bit audio: silent and band-limited frames can be solved with it."""


def linear_prediction(frames: Floats, order: int) -> tuple[Floats, Floats]:
    """Return autocorrelation and prediction error filter of windowed frames [n, size], both [n, order + 1].

    The filter is 1, a1, a2, ..., so that its output is the part of a frame that its past does not foretell.
    """
    size = frames.shape[1]
    autocorrelation = np.stack(
        [np.einsum("fn,fn->f", frames[:, : size - lag], frames[:, lag:]) for lag in range(order + 1)], axis=1
    )
    autocorrelation[:, 0] += _DITHER * size
    coefficients = np.zeros_like(autocorrelation)
    coefficients[:, 0] = 1.0
    error = autocorrelation[:, 0].copy()
    for index in range(1, order + 1):
        foretold = np.einsum("fn,fn->f", coefficients[:, :index], autocorrelation[:, index:0:-1])
        reflection = -foretold / error
        coefficients[:, 1 : index + 1] += reflection[:, None] * coefficients[:, index - 1 :: -1][:, :index]
        error *= 1.0 - reflection**2
    return autocorrelation, coefficients


def prediction_order(sample_rate: int) -> int:
    """Return the order of Loizou's measures: 10 below 10 kHz, 16 from there on."""
    return 10 if sample_rate < 10_000 else 16
