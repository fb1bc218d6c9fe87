"""A first-in first-out buffer of samples, many channels at once."""

from __future__ import annotations

import numpy as np

from unmuffle.signal.arrays import FloatArray


class SampleFifo:
    """Samples wait here between a producer and a consumer whose block sizes differ.

    The storage grows to the longest backlog seen and is then reused: in a steady stream nothing is allocated.

    Parameters
    ----------
    channels : int
        Rows of every block.
    capacity : int
        Samples for which room is made at once.
    """

    def __init__(self, channels: int, capacity: int = 4096) -> None:
        self._data: FloatArray = np.zeros((channels, capacity), np.float32)
        self._start = 0
        self._stop = 0

    def __len__(self) -> int:
        return self._stop - self._start

    def push(self, block: FloatArray) -> None:
        """Append a block [channels, n]."""
        self._make_room(block.shape[1])
        self._data[:, self._stop : self._stop + block.shape[1]] = block
        self._stop += block.shape[1]

    def push_zeros(self, count: int) -> None:
        """Append silence."""
        self._make_room(count)
        self._data[:, self._stop : self._stop + count] = 0.0
        self._stop += count

    def pop(self, count: int) -> FloatArray:
        """Remove the oldest samples and return them [channels, count], as a view that is valid until the next push."""
        if count > len(self):
            raise IndexError(f"{count} samples asked of a buffer that holds {len(self)}")
        view = self._data[:, self._start : self._start + count]
        self._start += count
        return view

    @property
    def waiting(self) -> FloatArray:
        """What waits, [channels, n]: a view to read or to write, valid until the next push."""
        return self._data[:, self._start : self._stop]

    def clear(self) -> None:
        """Forget every sample."""
        self._start = self._stop = 0

    def silence(self, mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> None:
        """Turn what waits in the channels of the mask [channels] into silence; the time axis stays as it is."""
        self._data[mask] = 0.0

    def _make_room(self, count: int) -> None:
        if self._stop + count <= self._data.shape[1]:
            return
        waiting = self._data[:, self._start : self._stop].copy()
        needed = waiting.shape[1] + count
        if needed > self._data.shape[1]:
            self._data = np.zeros((waiting.shape[0], 2 * needed), np.float32)
        self._data[:, : waiting.shape[1]] = waiting
        self._start, self._stop = 0, waiting.shape[1]
