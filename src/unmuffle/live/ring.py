"""A ring of samples between two threads, neither of which ever waits for the other."""

from __future__ import annotations

import numpy as np

from unmuffle.signal.arrays import FloatArray


class SampleRing:
    """One thread writes, one reads; nothing is allocated after the start.

    Each of the two counts is set by one thread alone, and only after the samples are in place, so that no lock is
    needed: an audio callback must not wait for one.

    Parameters
    ----------
    channels : int
        Rows of every block.
    capacity : int
        Samples for which there is room.
    """

    def __init__(self, channels: int, capacity: int) -> None:
        self._data: FloatArray = np.zeros((channels, capacity), np.float32)
        self._written = 0
        self._read = 0

    def __len__(self) -> int:
        return self._written - self._read

    @property
    def capacity(self) -> int:
        """Samples for which there is room."""
        return self._data.shape[1]

    def write(self, block: FloatArray) -> int:
        """Append as much of a block [channels, n] as there is room for, and return how much that was."""
        count = min(block.shape[1], self.capacity - len(self))
        start = self._written % self.capacity
        first = min(count, self.capacity - start)
        self._data[:, start : start + first] = block[:, :first]
        self._data[:, : count - first] = block[:, first:count]
        self._written += count
        return count

    def read_into(self, out: FloatArray) -> int:
        """Take the oldest samples out into a block [channels, n]; return how many there were, n or fewer."""
        count = min(out.shape[1], len(self))
        start = self._read % self.capacity
        first = min(count, self.capacity - start)
        out[:, :first] = self._data[:, start : start + first]
        out[:, first:count] = self._data[:, : count - first]
        self._read += count
        return count

    def skip(self, count: int) -> None:
        """Drop the oldest samples; to be called by who reads."""
        self._read += min(count, len(self))
