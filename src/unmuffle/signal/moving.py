"""Largest and smallest values within a window that moves over an array."""

from __future__ import annotations

from typing import Any

import numpy as np

from unmuffle.signal.arrays import FloatArray


def moving_maximum(values: FloatArray, width: int, axis: int = -1) -> FloatArray:
    """Return the maximum over a window of ``width`` values around each; at the ends over what there is of it.

    A window is put together of two of half its length, and so on down: log2(width) passes over the array, where
    ``scipy.ndimage`` goes over it value by value.

    Parameters
    ----------
    values : float [..., n, ...]
    width : int
        At least 1. The window reaches ``width // 2`` values back, itself included ``width - width // 2`` ahead.
    axis : int, default -1
        Along which it moves.
    """
    return _moved(np.maximum, -np.inf, values, width, axis)


def moving_minimum(values: FloatArray, width: int, axis: int = -1) -> FloatArray:
    """Return the minimum; see ``moving_maximum``."""
    return _moved(np.minimum, np.inf, values, width, axis)


def _moved(larger: np.ufunc, nothing: float, values: FloatArray, width: int, axis: int) -> FloatArray:
    along = np.moveaxis(values, axis, 0)
    count = len(along)
    ends: list[Any] = [(width // 2, width - 1 - width // 2)] + [(0, 0)] * (along.ndim - 1)
    reached: FloatArray = np.pad(along, ends, constant_values=nothing)
    span = 1
    while 2 * span <= width:
        reached = larger(reached[:-span], reached[span:])
        span *= 2
    found: FloatArray = larger(reached[:count], reached[width - span : width - span + count])
    return np.moveaxis(found, 0, axis)
