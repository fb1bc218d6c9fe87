"""What a pool can do with its frames, from the best to nothing at all, and the change between them without a click.

All of it are gains for the frames of one transform. So a change is made in the gains: what is to be heard listens
until it is warm, then its weight rises over a few frames, and the overlap of the frames smooths the steps. The rules
are those of ``unmuffle.process.ladder``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from unmuffle.denoise.spectral import linked_gains
from unmuffle.process.ladder import FADE_S, WARM_S
from unmuffle.serve.pool_lane import Frames, Lane
from unmuffle.serve.slots import SlotArray
from unmuffle.signal.arrays import BoolArray, ComplexArray, FloatArray
from unmuffle.signal.grid import HOP_S

FADE_FRAMES = max(1, round(FADE_S / HOP_S))


class BatchSuppressor(Protocol):
    """Gains for a frame of each of some streams, whose states are kept by slot."""

    def reset(self, slots: SlotArray) -> None:
        """Let slots begin anew."""

    def forget(self, lane: Lane) -> None:
        """Let go of what is kept for a lane, if anything."""

    def gains(self, parts: Sequence[Frames]) -> Sequence[FloatArray | ComplexArray]:
        """Return the gains of each of the parts, [rows, bins]; they hold until the next call."""


class PoolRungs:
    """The suppressors of a pool, of which the best is used until another is chosen; the last rung is the bypass.

    Parameters
    ----------
    suppressors : sequence of BatchSuppressor
        From the best to the lightest.
    capacity : int
        Slots of the pool.
    """

    def __init__(self, suppressors: Sequence[BatchSuppressor], capacity: int) -> None:
        self._suppressors: tuple[BatchSuppressor | None, ...] = (*suppressors, None)
        self._chosen = 0
        self._warm_frames = 0
        self._choices = 0
        self._unsettled = False
        self._weights: FloatArray = np.zeros((capacity, len(self._suppressors)), np.float32)
        self._target: SlotArray = np.zeros(capacity, np.intp)
        self._cold: npt.NDArray[np.intp] = np.zeros(capacity, np.intp)
        """Frames until the target is warm."""
        self._seen: npt.NDArray[np.intp] = np.zeros(capacity, np.intp)
        """The last choice that a slot has heard of."""
        self._steady: BoolArray = np.ones(capacity, np.bool_)

    @property
    def bypass(self) -> int:
        """The number of the last rung."""
        return len(self._suppressors) - 1

    @property
    def settled(self) -> bool:
        """Whether what was chosen is all that was heard in the last tick."""
        return not self._unsettled

    def choose(self, rung: int, warm_s: float | None = None) -> None:
        """Change to a rung, which listens for so long before it is heard; each stream follows with its next frame."""
        if rung != self._chosen:
            self._chosen = rung
            self._warm_frames = round((WARM_S if warm_s is None else warm_s) / HOP_S)
            self._choices += 1
            self._unsettled = True

    def heard(self, slot: int) -> int:
        """Return the rung that a slot hears most of."""
        if self._seen[slot] == 0 and self._choices == 0:
            return self._chosen
        return int(self._weights[slot].argmax())

    def clear(self, slots: SlotArray) -> None:
        """Let slots begin anew, on the rung that is chosen."""
        suppressor = self._suppressors[self._chosen]
        if suppressor is not None:
            suppressor.reset(slots)
        self._weights[slots] = 0.0
        self._weights[slots, self._chosen] = 1.0
        self._target[slots] = self._chosen
        self._cold[slots] = 0
        self._seen[slots] = self._choices
        self._steady[slots] = True

    def forget(self, lane: Lane) -> None:
        """Let go of what is kept for a lane that has no streams any more."""
        for suppressor in self._suppressors:
            if suppressor is not None:
                suppressor.forget(lane)

    def begin_tick(self) -> None:
        """Watch anew for streams that are not where they should be."""
        self._unsettled = False

    def apply(self, parts: Sequence[Frames]) -> None:
        """Weight the spectra of the parts, in place."""
        slots = np.concatenate([part.slots for part in parts])
        if (self._seen[slots] == self._choices).all() and self._steady[slots].all():
            self._apply_one(parts)
        else:
            self._unsettled = True
            self._apply_mixed(parts)

    def _apply_one(self, parts: Sequence[Frames]) -> None:
        suppressor = self._suppressors[self._chosen]
        if suppressor is not None:
            for part, gains in zip(parts, _gains(suppressor, parts), strict=True):
                np.multiply(part.spectra, gains, out=part.spectra)

    def _apply_mixed(self, parts: Sequence[Frames]) -> None:
        for part in parts:
            self._follow(part.slots)
        wholes: list[ComplexArray] = [np.zeros(part.spectra.shape, np.complex64) for part in parts]
        for rung, suppressor in enumerate(self._suppressors):
            chosen = [np.flatnonzero(self._weighs(part.slots, rung)) for part in parts]
            used = [(place, rows) for place, rows in enumerate(chosen) if len(rows)]
            if not used:
                continue
            some = [parts[place].only(rows) for place, rows in used]
            for (place, rows), part, gains in zip(used, some, _gains(suppressor, some), strict=True):
                wholes[place][rows] += self._weights[part.slots, rung][:, None] * gains
        for part, whole in zip(parts, wholes, strict=True):
            np.multiply(part.spectra, whole, out=part.spectra)

    def _weighs(self, slots: SlotArray, rung: int) -> BoolArray:
        """Which slots hear a rung, or will when it is warm."""
        return np.asarray((self._weights[slots, rung] > 0.0) | (self._target[slots] == rung))

    def _follow(self, slots: SlotArray) -> None:
        """Bring the weights to what they are in the next frame."""
        unaware = slots[self._seen[slots] != self._choices]
        self._seen[unaware] = self._choices
        turning = unaware[self._target[unaware] != self._chosen]
        self._turn(turning)
        moving = slots[~self._steady[slots]]
        warm = moving[self._cold[moving] <= 0]
        self._cold[moving] -= 1
        before = self._weights[warm, self._chosen]
        after = np.minimum(1.0, before + 1.0 / FADE_FRAMES).astype(np.float32)
        others = np.where(before < 1.0, (1.0 - after) / np.maximum(1.0 - before, 1e-6), 0.0)
        self._weights[warm] *= others[:, None]
        self._weights[warm, self._chosen] = after
        self._steady[warm[after == 1.0]] = True

    def _turn(self, slots: SlotArray) -> None:
        """Have slots turn to the rung that is chosen."""
        unheard = slots[self._weights[slots, self._chosen] == 0.0]
        suppressor = self._suppressors[self._chosen]
        self._target[slots] = self._chosen
        self._steady[slots] = False
        self._cold[slots] = 0
        if suppressor is not None:
            suppressor.reset(unheard)
            self._cold[unheard] = self._warm_frames


def _gains(suppressor: BatchSuppressor | None, parts: Sequence[Frames]) -> Sequence[FloatArray | ComplexArray]:
    """Return the gains of each of the parts, the same for all channels of a stream; 1 for the bypass."""
    if suppressor is None:
        return [np.ones((1, 1), np.float32)] * len(parts)
    return [_linked(part, gains) for part, gains in zip(parts, suppressor.gains(parts), strict=True)]


def _linked(part: Frames, gains: FloatArray | ComplexArray) -> FloatArray | ComplexArray:
    channels = part.lane.channels
    if channels == 1:
        return gains
    shape = (-1, channels, gains.shape[1])
    linked: FloatArray | ComplexArray = linked_gains(gains.reshape(shape), part.spectra.reshape(shape))
    return np.repeat(np.asarray(linked[:, 0]), channels, axis=0)
