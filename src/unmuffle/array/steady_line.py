"""A line through points of which some are far off: Theil (1950) and Sen (1968)."""

from __future__ import annotations

import numpy as np

from unmuffle.signal.arrays import AnyArray


def steady_line(times: AnyArray, values: AnyArray) -> tuple[float, float]:
    """Return the median slope of all pairs of points, and the median distance of the points from that line.

    Parameters
    ----------
    times, values : float [points]
        At least two points, of different times.

    >>> steady_line(np.arange(9.0), np.array([1, 3, 5, 7, 90, 11, 13, 15, 17.0]))
    (2.0, 0.0)
    """
    earlier, later = np.triu_indices(len(times), 1)
    slope = float(np.median((values[later] - values[earlier]) / (times[later] - times[earlier])))
    left = values - slope * times
    return slope, float(np.median(np.abs(left - np.median(left))))
