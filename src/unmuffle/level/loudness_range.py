"""Loudness range (LRA): EBU Tech 3342 (2023).

The spread of short-term loudness (3 s windows, here every 100 ms): from the 10th to the 95th percentile of the
windows that pass an absolute gate at -70 LUFS and a relative gate 20 LU below the loudness of what passed the first.
Percentiles are the nearest order statistics, as in the recommendation's reference code.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -20.0
LOWER_SHARE, UPPER_SHARE = 0.10, 0.95


def range_of(short_term_lufs: npt.NDArray[np.float64]) -> float | None:
    """Return the loudness range in LU of short-term loudness values [windows], None if none passes the gates.

    >>> range_of(np.repeat([-30.0, -20.0], 200))
    10.0
    """
    heard = short_term_lufs[short_term_lufs >= ABSOLUTE_GATE_LUFS]
    if heard.size == 0:
        return None
    mean_lufs = 10.0 * np.log10(np.mean(10.0 ** (heard / 10.0)))
    ordered = np.sort(heard[heard >= mean_lufs + RELATIVE_GATE_LU])
    low, high = (ordered[int(share * (ordered.size - 1) + 0.5)] for share in (LOWER_SHARE, UPPER_SHARE))
    return float(high - low)
