"""Clocks that run apart: microphones of several devices whose delays grow steadily.

The delay to the first microphone is measured by GCC-PHAT in parts spread over the recording, and the slope over time is
that of Theil and Sen, the median of the slopes of all pairs of parts (P. K. Sen, "Estimates of the regression
coefficient based on Kendall's tau", JASA 63, 1968), so that parts in which nobody speaks do no harm.
"""

from __future__ import annotations

import numpy as np

from unmuffle.array.gcc_phat import gcc_phat
from unmuffle.array.steady_line import steady_line
from unmuffle.signal.arrays import AnyArray, FloatArray

SHORTEST_S = 15.0
PARTS = 10
PART_S = 1.0
LONGEST_DELAY_S = 0.05
MOST_SPREAD_S = 3e-4
"""Median distance of the delays from a straight line, beyond which they are chance or a talker who moves."""


def clock_drifts_ppm(samples: FloatArray, sample_rate: int) -> FloatArray | None:
    """Return by how much each clock runs fast or slow against the median, float64 [channels] in millionths.

    NaN where the delays lie on no line; None where the recording is shorter than 15 s.

    Parameters
    ----------
    samples : float32 [channels, n]
    sample_rate : int
        In Hz.
    """
    length = round(PART_S * sample_rate)
    if samples.shape[1] < SHORTEST_S * sample_rate:
        return None
    starts = np.linspace(0, samples.shape[1] - length, PARTS).astype(np.int64)
    slopes = np.array([_slope(samples[0], row, starts, length, sample_rate) for row in samples[1:]])
    drifts = 1e6 * np.concatenate(([0.0], slopes))
    return np.asarray(drifts - np.nanmedian(drifts))


def _slope(first: FloatArray, row: FloatArray, starts: AnyArray, length: int, sample_rate: int) -> float:
    """Seconds of delay that are added in a second; NaN where there is no line."""
    if not (first.any() and row.any()):
        return np.nan
    delays = np.array(
        [
            gcc_phat(first[at : at + length], row[at : at + length], sample_rate, max_delay_s=LONGEST_DELAY_S)
            for at in starts
        ]
    )
    slope, spread = steady_line(starts / sample_rate, delays)
    return slope if spread <= MOST_SPREAD_S else np.nan
