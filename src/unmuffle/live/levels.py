"""Levels for people to look at: smoothed powers and peaks that fall slowly."""

from __future__ import annotations

from math import exp, log10

import numpy as np

from unmuffle.signal.arrays import FloatArray

AVERAGED_S = 0.3
PEAK_FALL_DB_PER_S = 20.0
LOWEST_DBFS = -100.0


class LevelMeter:
    """Mean power and peak of a stream, as a meter on a desk shows them.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._power = 0.0
        self._peak = 0.0

    def process(self, block: FloatArray) -> None:
        """Take the next block [channels, n], not empty."""
        seconds = block.shape[1] / self._sample_rate
        keep = exp(-seconds / AVERAGED_S)
        power = float(np.vdot(block, block)) / block.size
        self._power = keep * self._power + (1.0 - keep) * power
        self._peak = max(float(np.abs(block).max()), self._peak * 10.0 ** (-PEAK_FALL_DB_PER_S * seconds / 20.0))

    @property
    def rms_dbfs(self) -> float:
        """Root of the mean power of the last 0.3 s or so, in dB of full scale."""
        return max(LOWEST_DBFS, 10.0 * log10(self._power)) if self._power > 0.0 else LOWEST_DBFS

    @property
    def peak_dbfs(self) -> float:
        """Highest magnitude, falling by 20 dB a second."""
        return max(LOWEST_DBFS, 20.0 * log10(self._peak)) if self._peak > 0.0 else LOWEST_DBFS
