"""The active level of speech: ITU-T P.56 (2011), method B.

It leaves the pauses out: a ratio to it means the same for a hurried talker and for a slow one. Left out of P.56: the
filter before the meter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d
from scipy.signal import lfilter

SMOOTHING_S = 0.03
HANGOVER_S = 0.2
MARGIN_DB = 15.9
STEP_DB = 0.05


def active_level_db(speech: NDArray[np.float32], sample_rate: int) -> float:
    """RMS level in dBFS of the parts of `speech` in which somebody speaks.

    Raises
    ------
    ValueError
        If the signal is silent all through.
    """
    samples = speech.astype(np.float64)
    energy = np.mean(samples**2)
    if energy == 0:
        raise ValueError("the speech is silent all through, so it has no active level")

    keep = np.exp(-1 / (sample_rate * SMOOTHING_S))
    envelope = np.abs(samples)
    for _ in range(2):
        envelope = lfilter([1 - keep], [1, -keep], envelope)
    # Speech counts as active until the envelope has stayed under the threshold for the whole hangover.
    hangover = round(HANGOVER_S * sample_rate)
    held = np.sort(maximum_filter1d(envelope, hangover + 1, origin=hangover // 2))

    loudest_db = 20 * np.log10(held[-1])
    thresholds_db = np.arange(loudest_db - 80, loudest_db - STEP_DB, STEP_DB)
    activity = 1 - np.searchsorted(held, 10 ** (thresholds_db / 20)) / held.size
    levels_db = 10 * np.log10(energy / activity)
    # The active level is the one that lies the margin above the threshold that it is measured with.
    return float(levels_db[np.argmax(levels_db - thresholds_db <= MARGIN_DB)])
