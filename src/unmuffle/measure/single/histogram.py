"""How often which level occurred: order statistics of a stream of any length in constant memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.signal.arrays import FloatArray

_SMALLEST_POWER = 1e-30
_DB_AN_OCTAVE = 10.0 * np.log10(2.0)


class LevelHistogram:
    """Histograms of many levels at once, for instance one a frequency bin.

    Counts are whole numbers, so the result does not depend on the order or the grouping of what was added.

    Parameters
    ----------
    bins : int
        Levels followed at once.
    low_db, high_db : float
        Levels outside this range are counted at its ends.
    step_db : float, default 1.0
        Width of a class. Quantiles are interpolated within it.
    """

    def __init__(self, bins: int, low_db: float, high_db: float, step_db: float = 1.0) -> None:
        self._low_db = low_db
        self._step_db = step_db
        self._classes = round((high_db - low_db) / step_db)
        self._counts = np.zeros(bins * self._classes, np.int64)
        self._first = np.arange(bins) * self._classes
        self.frames = 0

    def add(self, power: FloatArray) -> None:
        """Count powers [frames, bins]."""
        level_db = np.log2(np.maximum(power, _SMALLEST_POWER)) * _DB_AN_OCTAVE
        position = np.floor((level_db - self._low_db) / self._step_db).astype(np.intp)
        np.clip(position, 0, self._classes - 1, out=position)
        position += self._first
        np.add.at(self._counts, position.ravel(), 1)
        self.frames += power.shape[0]

    def quantile_db(self, share: float) -> npt.NDArray[np.float64]:
        """Return the level below which this share of the frames lies, float64 [bins]; NaN before any."""
        cumulative = self._counts.reshape(-1, self._classes).cumsum(axis=1)
        if self.frames == 0:
            return np.full(cumulative.shape[0], np.nan)
        target = share * self.frames
        reached = (cumulative >= max(target, 0.5)).argmax(axis=1)[:, None]
        upto = np.take_along_axis(cumulative, reached, axis=1)[:, 0]
        inside = np.take_along_axis(self._counts.reshape(-1, self._classes), reached, axis=1)[:, 0]
        fraction = (target - (upto - inside)) / inside
        quantile: npt.NDArray[np.float64] = self._low_db + self._step_db * (reached[:, 0] + fraction)
        return quantile
