"""Tabulated functions of a positive variable, for special functions that are too slow to call in every frame."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from unmuffle.signal.arrays import FloatArray

_MANTISSA_BITS = 23
_EXPONENT_BIAS = 127


class LogTable:
    """A smooth function of x > 0 by table, linear between nodes that lie equally dense in every octave.

    The bits of a float32 hold its octave and its place within it, so the node is found by a shift, without a
    logarithm or a search. Outside the table's range the function is taken at the nearest end.

    Parameters
    ----------
    function : callable
        Takes and returns float64 arrays.
    lowest_octave, highest_octave : int
        The table covers 2**lowest_octave <= x < 2**highest_octave.
    nodes_per_octave : int, default 128
        A power of two. For a function like a power of x the relative error is about 0.1 / nodes_per_octave**2.

    Examples
    --------
    >>> table = LogTable(np.sqrt, -4, 4)
    >>> table(np.array([0.25, 2.0], dtype=np.float32))
    array([0.5      , 1.4142135], dtype=float32)
    """

    def __init__(
        self,
        function: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]],
        lowest_octave: int,
        highest_octave: int,
        nodes_per_octave: int = 128,
    ) -> None:
        self._shift = _MANTISSA_BITS - (nodes_per_octave.bit_length() - 1)
        self._low = np.float32(2.0**lowest_octave)
        self._high = np.nextafter(np.float32(2.0**highest_octave), np.float32(0.0))
        self._first = ((lowest_octave + _EXPONENT_BIAS) << _MANTISSA_BITS) >> self._shift
        octaves = np.arange(lowest_octave, highest_octave)
        within = 1.0 + np.arange(nodes_per_octave) / nodes_per_octave
        nodes = np.append(np.outer(2.0**octaves, within).ravel(), 2.0**highest_octave)
        values = function(nodes)
        self._values: FloatArray = values[:-1].astype(np.float32)
        self._slopes: FloatArray = (np.diff(values)).astype(np.float32)
        self._fraction_mask = np.int32((1 << self._shift) - 1)
        self._fraction_unit = np.float32(2.0**-self._shift)

    def __call__(self, x: FloatArray) -> FloatArray:
        """Return the function at ``x``, float32 of any shape."""
        bits = np.clip(x, self._low, self._high).view(np.int32)
        node = (bits >> self._shift) - self._first
        # int32 times float32 would be float64.
        fraction = (bits & self._fraction_mask).astype(np.float32)
        fraction *= self._fraction_unit
        fraction *= self._slopes.take(node)
        fraction += self._values.take(node)
        return fraction
