"""States that change only after several signs in a row, one for each microphone."""

from __future__ import annotations

import numpy as np

from unmuffle.signal.arrays import BoolArray


class Latch:
    """True after so many bad signs in a row, and false again after so many good ones.

    What is neither changes nothing.

    Parameters
    ----------
    channels : int
    bad, good : int
        How many in a row.
    """

    def __init__(self, channels: int, bad: int, good: int) -> None:
        self._bad, self._good = bad, good
        self.on: BoolArray = np.zeros(channels, np.bool_)
        self._signs = np.zeros(channels, np.int64)

    def update(self, bad: BoolArray, good: BoolArray) -> BoolArray:
        """Take the next signs [channels] in and return the states [channels]."""
        for_change = np.where(self.on, good, bad)
        for_rest = np.where(self.on, bad, good)
        self._signs = np.where(for_change, self._signs + 1, np.where(for_rest, 0, self._signs))
        changed = self._signs >= np.where(self.on, self._good, self._bad)
        self.on = self.on ^ changed
        self._signs[changed] = 0
        return self.on

    def reset(self) -> None:
        """Forget all signs."""
        self.on = np.zeros_like(self.on)
        self._signs[:] = 0
