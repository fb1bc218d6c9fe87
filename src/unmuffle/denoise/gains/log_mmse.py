"""The gain of the log-spectral amplitude estimator.

Y. Ephraim and D. Malah, "Speech enhancement using a minimum mean-square error log-spectral amplitude estimator",
IEEE Trans. ASSP 33(2), 1985, equation 20.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from unmuffle.denoise.gains.wiener import wiener_gain
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.tables import LogTable


@lru_cache(maxsize=1)
def _excess_over_wiener() -> LogTable:
    """exp(E1(v) / 2) by table: the exponential integral alone would cost more than all the rest of a frame."""
    from scipy.special import exp1

    def function(v: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.exp(0.5 * exp1(v))

    return LogTable(function, -24, 6)


def log_mmse_gain(a_priori_snr: FloatArray, a_posteriori_snr: FloatArray) -> FloatArray:
    """Gain of the log-spectral amplitude estimator.

    Parameters
    ----------
    a_priori_snr, a_posteriori_snr : float32 arrays of one shape
        Power ratios xi and gamma, not dB; the first above 0.

    Returns
    -------
    float32
        xi / (1 + xi) exp(E1(v) / 2) with v = gamma xi / (1 + xi); right to 1e-4 of itself for v >= 6e-8.
    """
    gain = wiener_gain(a_priori_snr)
    v = gain * a_posteriori_snr
    gain *= _excess_over_wiener()(v)
    return gain
