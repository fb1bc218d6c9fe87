"""K-weighting of ITU-R BS.1770 at any sample rate.

The recommendation (ITU-R BS.1770-5, 2023, annex 1, tables 1 and 2) prints coefficients for 48 kHz only.
Behind them stand two analog prototypes, a high shelf and a high-pass, taken through the bilinear transform;
their parameters were recovered by B. De Man, "Evaluation of implementations of the EBU R128 loudness
measurement", AES Convention 145, 2018, and are used here.
"""

from __future__ import annotations

from math import pi, tan

import numpy as np
import numpy.typing as npt

_PRINTED_RATE = 48_000
_SHELF_HZ = 1681.974450955533
_SHELF_DB = 3.999843853973347
_SHELF_Q = 0.7071752369554196
_SHELF_MIDDLE_EXPONENT = 0.4996667741545416
_HIGH_PASS_HZ = 38.13547087602444
_HIGH_PASS_Q = 0.5003270373238773


def k_weighting(sample_rate: int) -> npt.NDArray[np.float64]:
    """Return the K-weighting filter as two second-order sections, float64 [2, 6], for ``sosfilt``.

    Parameters
    ----------
    sample_rate : int
        In Hz; above 3,364 Hz, where the shelf would meet the Nyquist frequency.

    Examples
    --------
    >>> k_weighting(48000)[0, :3].round(6).tolist()
    [1.535125, -2.691696, 1.198393]
    """
    return np.array([_high_shelf(sample_rate), _high_pass(sample_rate)])


def _high_shelf(sample_rate: int) -> list[float]:
    k = tan(pi * _SHELF_HZ / sample_rate)
    high = 10.0 ** (_SHELF_DB / 20.0)
    middle = high**_SHELF_MIDDLE_EXPONENT
    norm = 1.0 + k / _SHELF_Q + k * k
    return [
        (high + middle * k / _SHELF_Q + k * k) / norm,
        2.0 * (k * k - high) / norm,
        (high - middle * k / _SHELF_Q + k * k) / norm,
        1.0,
        2.0 * (k * k - 1.0) / norm,
        (1.0 - k / _SHELF_Q + k * k) / norm,
    ]


def _high_pass(sample_rate: int) -> list[float]:
    k = tan(pi * _HIGH_PASS_HZ / sample_rate)
    norm = _high_pass_norm(k)
    # The printed numerator is 1, -2, 1: a pass-band gain of .043 dB at 48 kHz, kept at other rates.
    gain = _high_pass_norm(tan(pi * _HIGH_PASS_HZ / _PRINTED_RATE)) / norm
    return [gain, -2.0 * gain, gain, 1.0, 2.0 * (k * k - 1.0) / norm, (1.0 - k / _HIGH_PASS_Q + k * k) / norm]


def _high_pass_norm(k: float) -> float:
    return 1.0 + k / _HIGH_PASS_Q + k * k
