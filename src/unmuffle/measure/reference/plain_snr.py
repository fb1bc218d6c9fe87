"""Signal-to-noise ratio: the energy of the reference over that of its difference from the estimate.

The oldest of all measures; it takes a wrong level, delay or phase for noise. Values are bounded at +-100 dB, beyond
which 32-bit samples have nothing to say and a mean would drown in infinities.
"""

from __future__ import annotations

from math import log10

import numpy as np
import numpy.typing as npt

from unmuffle.measure.reference.pairs import checked_pair, mean_over_channels
from unmuffle.signal.arrays import FloatArray

LARGEST_DB = 100.0


def snr_db(reference: npt.ArrayLike, estimate: npt.ArrayLike, sample_rate: int) -> float:
    """Return the signal-to-noise ratio in dB, the mean over channels.

    Parameters
    ----------
    reference, estimate : array_like
        ``[samples]`` or ``[channels, samples]``, of equal shape; any length.
    sample_rate : int
        In Hz, 8,000 to 192,000; the ratio is taken at this rate.

    Returns
    -------
    float
        -100 to 100; 100 for equal audio, 0 for a silent estimate.

    Raises
    ------
    InvalidAudioError
        If the two cannot be compared: other shapes, no samples, NaN or infinity, a silent reference.

    Examples
    --------
    >>> tone = np.sin(np.arange(8000))
    >>> round(snr_db(tone, 1.1 * tone, 8000), 3)
    20.0
    """
    return mean_over_channels(_snr_db, checked_pair(reference, estimate, sample_rate, "SNR"))


def energy_ratio_db(signal: float, noise: float) -> float:
    """Return one energy over another in dB, within +-100 dB; both may be 0."""
    if signal <= 0.0:
        return -LARGEST_DB
    if noise <= 0.0:
        return LARGEST_DB
    return min(max(10.0 * (log10(signal) - log10(noise)), -LARGEST_DB), LARGEST_DB)


def _snr_db(reference: FloatArray, estimate: FloatArray) -> float:
    clean = reference.astype(np.float64)
    noise = estimate - clean
    return energy_ratio_db(float(clean @ clean), float(noise @ noise))
