"""Which frames need no network: those in which nothing has been heard for a while.

A frame without any sound gives none, whatever its gains, so nothing is heard of the gate itself. What is skipped is
only what the network would have learnt of the silence: to it, a silence of more than ``HELD_S`` is one of ``HELD_S``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.serve.slots import SlotArray
from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.grid import HOP_S

HELD_S = 1.0
"""Silence that the network still listens to, so that the pauses of digital telephony are not cut short."""
HELD_FRAMES = round(HELD_S / HOP_S)
QUIETEST_PEAK = 1.01 * 2.0**-15
"""One step of 16 bits, which is what dither and rounding leave of silence."""


class SilenceGate:
    """Counts, slot by slot, for how many hops there was silence.

    Parameters
    ----------
    capacity : int
        Slots of the pool.
    """

    def __init__(self, capacity: int) -> None:
        self._hops: npt.NDArray[np.intp] = np.zeros(capacity, np.intp)
        self._gated: BoolArray = np.zeros(capacity, np.bool_)

    def set(self, slots: SlotArray, gated: bool) -> None:
        """Say whether silence in these slots may be skipped; may be called from any thread."""
        self._gated[slots] = gated

    def clear(self, slots: SlotArray) -> None:
        """Begin anew: silence before the first sample is not counted."""
        self._hops[slots] = 0

    def closed(self, slots: SlotArray, peaks: FloatArray, channels: int) -> BoolArray | None:
        """Take in the peak of the next hop of each slot; return which frames to skip, None for none of them.

        All channels of a stream, which lie together, are skipped or none.
        """
        silent = peaks <= QUIETEST_PEAK
        if channels > 1:
            silent = np.repeat(silent.reshape(-1, channels).all(axis=1), channels)
        if not silent.any():
            self._hops[slots] = 0
            return None
        hops = np.where(silent, self._hops[slots] + 1, 0)
        self._hops[slots] = hops
        # The first silent frame has two silent hops in it.
        closed = (hops > HELD_FRAMES + 1) & self._gated[slots]
        return closed if closed.any() else None
