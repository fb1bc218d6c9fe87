"""The gain of the short-time spectral amplitude estimator.

Y. Ephraim and D. Malah, "Speech enhancement using a minimum mean-square error short-time spectral amplitude
estimator", IEEE Trans. ASSP 32(6), 1984, equation 7.
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
    """sqrt(pi / v) / 2 exp(-v / 2) [(1 + v) I0(v / 2) + v I1(v / 2)] by table; it tends to 1 for large v."""
    from scipy.special import i0e, i1e

    def function(v: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return 0.5 * np.sqrt(np.pi / v) * ((1.0 + v) * i0e(v / 2) + v * i1e(v / 2))

    return LogTable(function, -24, 14)


def mmse_stsa_gain(a_priori_snr: FloatArray, a_posteriori_snr: FloatArray) -> FloatArray:
    """Gain of the short-time spectral amplitude estimator.

    Parameters
    ----------
    a_priori_snr, a_posteriori_snr : float32 arrays of one shape
        Power ratios xi and gamma, not dB; the first above 0.

    Returns
    -------
    float32
        sqrt(pi v) / (2 gamma) exp(-v / 2) [(1 + v) I0(v / 2) + v I1(v / 2)] with v = gamma xi / (1 + xi); right to
        1e-4 of itself for v >= 6e-8.
    """
    gain = wiener_gain(a_priori_snr)
    v = gain * a_posteriori_snr
    gain *= _excess_over_wiener()(v)
    return gain
