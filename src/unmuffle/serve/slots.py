"""Slots: the rows of a pool's arrays that a stream has, one for each of its channels."""

from __future__ import annotations

import heapq
from threading import Lock

import numpy as np
import numpy.typing as npt

from unmuffle.serve.pool_errors import PoolFullError

SlotArray = npt.NDArray[np.intp]


class Slots:
    """Hands out numbers below a capacity and takes them back; safe from any thread.

    The lowest are given first, so that few streams lie close together.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._free = list(range(capacity))
        self._lock = Lock()

    @property
    def free(self) -> int:
        """How many are left."""
        return len(self._free)

    def take(self, count: int) -> SlotArray:
        """Return so many slots, or raise ``PoolFullError``."""
        with self._lock:
            if count > len(self._free):
                raise PoolFullError(
                    f"the pool has {len(self._free)} of {self.capacity} slots free, and {count} are needed: "
                    "close a stream, try again later, or make the pool with a larger capacity"
                )
            return np.array([heapq.heappop(self._free) for _ in range(count)], np.intp)

    def give_back(self, slots: SlotArray) -> None:
        """Make slots free again."""
        with self._lock:
            for slot in slots.tolist():
                heapq.heappush(self._free, slot)
