"""Sliding maximum and mean of a stream, for gains that have to be down before a peak comes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.signal.arrays import AnyArray, BoolArray, FloatArray

Float64Array = npt.NDArray[np.float64]

_NOTHING = 1e-9


class SlidingMaximum:
    """The largest of the newest ``size`` values of each row; zeros lie before the first."""

    def __init__(self, rows: int, size: int) -> None:
        from scipy.ndimage import maximum_filter1d

        self._filter = maximum_filter1d
        self._size = size
        self._past: Float64Array = np.zeros((rows, size - 1))

    @property
    def at_rest(self) -> bool:
        """Whether the newest values are all 0."""
        return not self._past.any()

    def follow(self, values: FloatArray) -> Float64Array:
        """Return the maximum at each of the next values, both [rows, n]."""
        joined = np.concatenate([self._past, values], axis=1)
        self._past = joined[:, joined.shape[1] - self._size + 1 :].copy()
        # The origin moves the window so that it ends at the value itself.
        largest = self._filter(joined, self._size, axis=1, origin=(self._size - 1) // 2)
        return np.asarray(largest)[:, self._size - 1 :]

    @property
    def row_states(self) -> tuple[AnyArray, ...]:
        """What is known of the rows, [rows, ...]; a view."""
        return (self._past,)

    def reset(self, mask: BoolArray | None = None) -> None:
        """Forget the past of all rows, or of those of the mask [rows]."""
        self._past[slice(None) if mask is None else mask] = 0.0


class SlidingMean:
    """The mean of the newest ``size`` values of each row; zeros lie before the first."""

    def __init__(self, rows: int, size: int) -> None:
        self._size = size
        self._past: Float64Array = np.zeros((rows, size))

    @property
    def at_rest(self) -> bool:
        """Whether the newest values are all 0, but for what rounding leaves of sums."""
        return not (np.abs(self._past) >= _NOTHING).any()

    def follow(self, values: FloatArray) -> Float64Array:
        """Return the mean at each of the next values, both [rows, n]."""
        joined = np.concatenate([self._past, values], axis=1)
        self._past = joined[:, joined.shape[1] - self._size :].copy()
        sums = np.cumsum(joined, axis=1)
        return (sums[:, self._size :] - sums[:, : -self._size]) / self._size

    @property
    def row_states(self) -> tuple[AnyArray, ...]:
        """What is known of the rows, [rows, ...]; a view."""
        return (self._past,)

    def reset(self, mask: BoolArray | None = None) -> None:
        """Forget the past of all rows, or of those of the mask [rows]."""
        self._past[slice(None) if mask is None else mask] = 0.0
