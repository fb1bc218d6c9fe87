"""The 25 critical bands of P. C. Loizou's measures: Gaussian filters on the bins of a power or magnitude spectrum.

Centres and widths are those of his ``comp_wss.m`` and ``comp_fwseg.m`` ("Speech Enhancement: Theory and Practice", 2nd
ed., CRC Press 2013); they reach up to 3.8 kHz, also at 16 kHz.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp

import numpy as np

from unmuffle.measure.reference.paired_frames import Floats

_CENTRES_HZ = (
    *(50.0, 120.0, 190.0, 260.0, 330.0, 400.0, 470.0, 540.0, 617.372, 703.378, 798.717, 904.128, 1020.38),
    *(1148.30, 1288.72, 1442.54, 1610.70, 1794.16, 1993.93, 2211.08, 2446.71, 2701.97, 2978.04, 3276.17, 3597.63),
)
_WIDTHS_HZ = (
    *(70.0, 70.0, 70.0, 70.0, 70.0, 70.0, 70.0, 77.3724, 86.0056, 95.3398, 105.411, 116.256, 127.914),
    *(140.423, 153.823, 168.154, 183.457, 199.776, 217.153, 235.631, 255.255, 276.072, 298.126, 321.465, 346.136),
)
_LEAST_WEIGHT = exp(-30.0 / (2.0 * 2.303))


def fft_size(frame: int) -> int:
    """Return the power of two from twice a frame's length up."""
    return 1 << (2 * frame - 1).bit_length()


@lru_cache(maxsize=8)
def critical_bands(sample_rate: int, size: int) -> Floats:
    """Return the weight of each of the lower ``size // 2`` bins of an FFT in each band, [25, bins]."""
    bins = size // 2
    scale = bins / (0.5 * sample_rate)
    centres = np.floor(np.array(_CENTRES_HZ) * scale)[:, None]
    widths = np.array(_WIDTHS_HZ)[:, None]
    weights = np.exp(-11.0 * ((np.arange(bins) - centres) / (widths * scale)) ** 2) * (_WIDTHS_HZ[0] / widths)
    return np.where(weights > _LEAST_WEIGHT, weights, 0.0)
