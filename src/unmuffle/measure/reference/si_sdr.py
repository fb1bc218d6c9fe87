"""Scale-invariant signal-to-distortion ratio.

J. Le Roux, S. Wisdom, H. Erdogan and J. R. Hershey, "SDR: half-baked or well done?", ICASSP 2019.

The part of the estimate that is a scaled copy of the reference, over the rest. Whether means are removed first moves
the result wherever there is an offset, and publications differ: it is a parameter here. Left out: SI-SIR and SI-SAR,
and the 512-tap filter that the older BSS Eval allows.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from unmuffle.measure.reference.pairs import checked_pair, mean_over_channels, silent_reference
from unmuffle.measure.reference.plain_snr import energy_ratio_db
from unmuffle.signal.arrays import FloatArray


def si_sdr_db(reference: npt.ArrayLike, estimate: npt.ArrayLike, sample_rate: int, *, zero_mean: bool = True) -> float:
    """Return the scale-invariant signal-to-distortion ratio in dB, the mean over channels.

    Parameters
    ----------
    reference, estimate : array_like
        ``[samples]`` or ``[channels, samples]``, of equal shape; any length.
    sample_rate : int
        In Hz, 8,000 to 192,000; the ratio is taken at this rate.
    zero_mean : bool, default True
        Whether the mean of each channel is taken off both first; the paper's own formula has False.

    Returns
    -------
    float
        -100 to 100; 100 for a scaled copy, also with its sign turned, -100 for a silent estimate.

    Raises
    ------
    InvalidAudioError
        If the two cannot be compared: other shapes, no samples, NaN or infinity, a silent reference, or one that is
        nothing but an offset where means are removed.

    Examples
    --------
    >>> sine, cosine = np.sin(np.pi * np.arange(8000) / 40), np.cos(np.pi * np.arange(8000) / 40)
    >>> round(si_sdr_db(sine, 5.0 * (sine + 0.1 * cosine), 8000), 3)
    20.0
    """
    pair = checked_pair(reference, estimate, sample_rate, "SI-SDR")
    if zero_mean:
        constant = np.flatnonzero(np.ptp(pair[0], axis=1) == 0.0)
        if constant.size:
            raise silent_reference("SI-SDR", f"channel {constant[0]} of the reference is nothing but an offset")
    return mean_over_channels(partial(_si_sdr_db, zero_mean=zero_mean), pair)


def _si_sdr_db(reference: FloatArray, estimate: FloatArray, *, zero_mean: bool) -> float:
    clean, other = reference.astype(np.float64), estimate.astype(np.float64)
    if zero_mean:
        clean, other = clean - clean.mean(), other - other.mean()
    target = (clean @ other) / (clean @ clean) * clean
    distortion = other - target
    return energy_ratio_db(float(target @ target), float(distortion @ distortion))
