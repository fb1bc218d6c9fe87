"""K-weighted power from the spectra of frames: the loudness of ITU-R BS.1770-5 where spectra are there anyway."""

from __future__ import annotations

import numpy as np

from unmuffle.level.k_weighting import k_weighting
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.grid import Grid

OFFSET_DB = -0.691


def k_weights(grid: Grid) -> FloatArray:
    """Return what turns power spectra of ``StftStream`` into K-weighted mean squares, float64 [bins].

    Examples
    --------
    A sine of 1 kHz and full scale has a mean square of one half, and so -3.01 LUFS:

    >>> from unmuffle.signal import StftStream, grid_for
    >>> stream = StftStream(grid_for(48_000), 1)
    >>> sine = np.sin(2 * np.pi * 1000 * np.arange(48_000) / 48_000, dtype=np.float32)
    >>> frames = np.concatenate([np.abs(spectra) ** 2 for spectra in stream.analyze(sine[None])])
    >>> powers = frames @ k_weights(stream.grid)
    >>> (OFFSET_DB + 10 * np.log10(powers[1:].mean())).round(1)
    np.float64(-3.0)
    """
    from scipy.signal import sosfreqz

    angles = 2.0 * np.pi * grid.frequencies_hz.astype(np.float64) / grid.sample_rate
    _, response = sosfreqz(k_weighting(grid.sample_rate), angles)
    weights: FloatArray = np.abs(response) ** 2 * mean_square_scale(grid)
    return weights


def mean_square_scale(grid: Grid) -> float:
    """Return the factor from the sum of a power spectrum's bins to the mean square of the frame."""
    # Half of the bins stand for all (2 / window), and the squares of the window sum up to half its size.
    return 4.0 / grid.window**2
