"""A classical suppressor that takes a frame of some of the streams of a lane at a time.

A suppressor keeps what it knows of its channels in arrays that begin with the channels. For the rows of a call a copy
of it is made that has these rows only, and what the copy has learnt is put back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy

import numpy as np

from unmuffle.denoise.a_priori import AprioriSnr
from unmuffle.denoise.noise import NoiseEstimator
from unmuffle.denoise.suppressors import NoiseSuppressor
from unmuffle.serve.pool_lane import Frames, Lane
from unmuffle.serve.slots import SlotArray
from unmuffle.signal.arrays import AnyArray, FloatArray


class BatchMethod:
    """Real gains by a method, for any choice of slots.

    Parameters
    ----------
    make : callable
        Returns a new suppressor; there is one for each lane. All its arrays are states that begin with the channels.
    capacity : int
        Slots of the pool.
    """

    def __init__(self, make: Callable[[], NoiseSuppressor], capacity: int) -> None:
        self._make = make
        self._capacity = capacity
        self._of_lane: dict[Lane, NoiseSuppressor] = {}

    def reset(self, slots: SlotArray) -> None:
        """Let slots begin anew."""
        mask = np.zeros(self._capacity, np.bool_)
        mask[slots] = True
        for suppressor in self._of_lane.values():
            suppressor.reset(mask)

    def forget(self, lane: Lane) -> None:
        """Let go of what was kept for a lane."""
        self._of_lane.pop(lane, None)

    def gains(self, parts: Sequence[Frames]) -> list[FloatArray]:
        """Return real gains for frames, float32 [rows, bins] for each of the parts."""
        return [self._gains_of(part) for part in parts]

    def _gains_of(self, part: Frames) -> FloatArray:
        suppressor = self._of_lane.get(part.lane)
        if suppressor is None:
            suppressor = self._of_lane[part.lane] = self._make()
            suppressor.start(part.lane.grid, self._capacity)
        rows = copy(suppressor)
        states: list[tuple[AnyArray, object, str]] = []
        for name, member in _members(suppressor):
            setattr(rows, name, _rows_of(member, part.slots, states))
        gains = rows.gains(part.spectra[None])[0]
        for state, owner, name in states:
            state[part.slots] = getattr(owner, name)
        return gains


def _members(suppressor: NoiseSuppressor) -> list[tuple[str, object]]:
    """The parts of a suppressor that keep states, with their names."""
    return [(name, part) for name, part in vars(suppressor).items() if isinstance(part, (NoiseEstimator, AprioriSnr))]


def _rows_of(member: object, slots: SlotArray, states: list[tuple[AnyArray, object, str]]) -> object:
    """Return a copy that has some rows only, and note where each of its arrays comes from."""
    rows = copy(member)
    for name, value in vars(member).items():
        if isinstance(value, np.ndarray):
            setattr(rows, name, value[slots])
            states.append((value, rows, name))
    return rows
