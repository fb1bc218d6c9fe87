"""A strength that follows the noise, for some of many streams at a time."""

from __future__ import annotations

from copy import copy

import numpy as np

from unmuffle.process.auto_strength import AutoStrength
from unmuffle.serve.slots import SlotArray
from unmuffle.signal.arrays import BoolArray, FloatArray


class PoolAutoStrength(AutoStrength):
    """``AutoStrength`` by slot, whole hops of one channel each.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    capacity : int
        Slots of the pool.
    """

    def __init__(self, sample_rate: int, capacity: int) -> None:
        super().__init__(sample_rate, capacity)
        self._born: BoolArray = np.zeros(capacity, np.bool_)

    def clear(self, slots: SlotArray) -> None:
        """Begin anew."""
        mask = np.zeros(self.channels, np.bool_)
        mask[slots] = True
        self.reset(mask)
        self._born[slots] = False

    def shares_of(self, slots: SlotArray, dry: FloatArray, wet: FloatArray) -> FloatArray:
        """Return the share for each sample of the next hop of some slots, float32 [rows, hop], as the signals are.

        What is complete with the first frame of a stream is the silence before it, which tells nothing.
        """
        out: FloatArray = np.ones(dry.shape, np.float32)
        born = self._born[slots]
        self._born[slots] = True
        if born.any():
            out[born] = self._shares_of_rows(slots[born], dry[born], wet[born])
        return out

    def _shares_of_rows(self, slots: SlotArray, dry: FloatArray, wet: FloatArray) -> FloatArray:
        """Let a copy that has these rows only do it, and put back what it has learnt."""
        rows = copy(self)
        rows.channels = len(slots)
        # Whole hops leave nothing in the sums, the one array that does not begin with the channels.
        rows._energies = np.zeros((2, len(slots)))  # noqa: SLF001
        states = [name for name, value in vars(self).items() if isinstance(value, np.ndarray) and value.ndim == 1]
        for name in states:
            setattr(rows, name, getattr(self, name)[slots])
        shares = rows.shares(dry, wet)
        for name in states:
            getattr(self, name)[slots] = getattr(rows, name)
        return shares
