"""How much of the effect each stream of a pool hears, by slot; the rules are those of ``unmuffle.process.dry_wet``."""

from __future__ import annotations

import numpy as np

from unmuffle.process.dry_wet import RAMP_S
from unmuffle.serve.pool_auto import PoolAutoStrength
from unmuffle.serve.pool_lane import Lane
from unmuffle.serve.slots import SlotArray
from unmuffle.signal.arrays import BoolArray, FloatArray


class PoolMix:
    """Mixes what came in with what came of it.

    Parameters
    ----------
    capacity : int
        Slots of the pool.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._shares: FloatArray = np.ones(capacity)
        self._targets: FloatArray = np.ones(capacity)
        self._follows: BoolArray = np.zeros(capacity, np.bool_)
        self._autos: dict[Lane, PoolAutoStrength] = {}

    def set(self, slots: SlotArray, share: float) -> None:
        """Glide to a share of the effect, 0 to 1; may be called from any thread."""
        self._targets[slots] = share

    def follow(self, slots: SlotArray, follows: bool) -> None:
        """Say whether the share is to be less where there is little noise; may be called from any thread."""
        self._follows[slots] = follows

    def clear(self, slots: SlotArray) -> None:
        """Begin anew: with the share that is wanted."""
        self._shares[slots] = self._targets[slots]
        for auto in self._autos.values():
            auto.clear(slots)

    def forget(self, lane: Lane) -> None:
        """Let go of what is kept for a lane."""
        self._autos.pop(lane, None)

    def mix(self, lane: Lane, slots: SlotArray, wet: FloatArray, dry: FloatArray) -> FloatArray:
        """Return the mix, float32 [rows, hop], of arrays of this shape; what passes whole is not touched."""
        shares, targets, follows = self._shares[slots], self._targets[slots], self._follows[slots]
        following = follows.any()
        if not following and (shares == 1.0).all() and (targets == 1.0).all():
            return wet
        share = self._ramps(lane, slots, shares, targets)
        if following:
            share[follows] *= self._auto_of(lane).shares_of(slots[follows], dry[follows], wet[follows])
        mixed = wet - dry
        mixed *= share
        mixed += dry
        # Rounding must not touch what passes whole.
        np.copyto(mixed, dry, where=share == 0.0)
        np.copyto(mixed, wet, where=share == 1.0)
        return mixed

    def _ramps(self, lane: Lane, slots: SlotArray, shares: FloatArray, targets: FloatArray) -> FloatArray:
        """Return the share of each of the next samples, float32 [rows, hop]."""
        if (shares == targets).all():
            return np.repeat(shares.astype(np.float32)[:, None], lane.grid.hop, axis=1)
        step = np.copysign(1.0 / (RAMP_S * lane.grid.sample_rate), targets - shares)[:, None]
        ramps = shares[:, None] + step * np.arange(1, lane.grid.hop + 1)
        ramps = np.where(step > 0.0, np.minimum(ramps, targets[:, None]), np.maximum(ramps, targets[:, None]))
        self._shares[slots] = ramps[:, -1]
        return ramps.astype(np.float32)

    def _auto_of(self, lane: Lane) -> PoolAutoStrength:
        auto = self._autos.get(lane)
        if auto is None:
            auto = self._autos[lane] = PoolAutoStrength(lane.grid.sample_rate, self._capacity)
        return auto
