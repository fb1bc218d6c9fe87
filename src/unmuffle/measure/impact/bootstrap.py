"""Intervals by resampling clips with replacement.

B. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7(1), 1979; for error rates of
recognisers M. Bisani and H. Ney, "Bootstrap estimates for confidence intervals in ASR performance evaluation", ICASSP
2004: clips are drawn, and the errors of those drawn are divided by their words. Two systems are compared on the same
draws. Percentile intervals. Left out: that clips of one talker are alike, which makes the true intervals wider.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DRAWS = 4000


@dataclass(frozen=True)
class Estimate:
    """A value and the interval it lies in.

    Attributes
    ----------
    value : float
        Of all clips.
    low, high : float
        Ends of the interval.
    """

    value: float
    low: float
    high: float


class ClipBootstrap:
    """Draws of so many clips, the same for all that is estimated of them.

    Parameters
    ----------
    clips : int
        How many there are, at least 1.
    confidence : float
        Of the intervals, above 0 and below 1.
    seed : int
        Of the draws.
    """

    def __init__(self, clips: int, confidence: float, seed: int) -> None:
        rng = np.random.default_rng((seed, clips))
        self._times = rng.multinomial(clips, np.full(clips, 1.0 / clips), size=DRAWS).astype(np.float64)
        self._ends = (0.5 - confidence / 2.0, 0.5 + confidence / 2.0)

    def ratio(self, above: npt.ArrayLike, below: npt.ArrayLike) -> Estimate:
        """Return the sum of one, ``[clips]``, to that of the other, such as errors to words."""
        one, two = np.asarray(above, np.float64), np.asarray(below, np.float64)
        drawn = (self._times @ one) / (self._times @ two)
        low, high = np.quantile(drawn, self._ends)
        return Estimate(float(one.sum() / two.sum()), float(low), float(high))
