"""What a preset has before and behind its network, for many streams at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import numpy.typing as npt

from unmuffle.presets import StageChoice, build_chain
from unmuffle.process import Processor
from unmuffle.serve.batch_stages import BatchStages, Maker, fits
from unmuffle.serve.slots import SlotArray
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.grid import Grid, grid_for


@dataclass(frozen=True)
class SharedStages:
    """What the streams of a lane have in common beside the network.

    Attributes
    ----------
    before, behind : tuple of StageChoice
    whole : bool
        Whether that is all there is to their chain, so that the strength of it all is a matter of the pool.
    """

    before: tuple[StageChoice, ...]
    behind: tuple[StageChoice, ...]
    whole: bool


class BatchChain:
    """The stages around the network by slot.

    Parameters
    ----------
    stages : SharedStages
        For which ``can_share`` is true.
    grid : Grid
        Of the network.
    capacity : int
        Slots of the pool.
    """

    def __init__(self, stages: SharedStages, grid: Grid, capacity: int) -> None:
        rate, hop = grid.sample_rate, grid.hop
        self._before = BatchStages(_makers(stages.before, rate), hop, capacity)
        self._behind = BatchStages(_makers(stages.behind, rate), hop, capacity)
        self.latency, self.delay = self._behind.latency, self._behind.delay
        self.whole = stages.whole
        self._hop = hop
        self._hops: npt.NDArray[np.intp] = np.zeros(capacity, np.intp)
        self._past: FloatArray = np.zeros((capacity if stages.whole else 0, hop + self.delay), np.float32)

    def clear(self, slots: SlotArray) -> None:
        """Let slots begin anew."""
        self._before.clear(slots)
        self._hops[slots] = 0

    def prepare(self, slots: SlotArray, samples: FloatArray, left: SlotArray | None) -> FloatArray:
        """Return the next hop of each slot as the network is to hear it, float32 [rows, hop] as what came."""
        prepared = self._before.process(slots, samples, left)
        if left is not None:
            prepared = prepared.copy()
            prepared[np.arange(self._hop) >= left[:, None]] = 0.0
        return prepared

    def finish(self, slots: SlotArray, wet: FloatArray, left: SlotArray | None) -> FloatArray:
        """Return what is complete, ``delay`` behind what the network gives, both float32 [rows, hop].

        Parameters
        ----------
        slots : int [rows]
        wet : float32 [rows, hop]
            What the network has made of the hop before.
        left : int [rows], optional
            See ``BatchStages``; counted from the beginning of the hop that came last.
        """
        # The first that the network gives lies before the first sample, and is nobody's.
        born = slots[self._hops[slots] == 1]
        if born.size:
            self._behind.clear(born)
        self._hops[slots] += 1
        return self._behind.process(slots, wet, None if left is None else left + self._hop)

    def delayed(self, slots: SlotArray, came: FloatArray) -> FloatArray:
        """Return what came, float32 [rows, hop], as late as what ``finish`` gives."""
        # What another stream has left here is over before the first sample comes out.
        joined = np.concatenate((self._past[slots], came), axis=1)
        self._past[slots] = joined[:, self._hop :]
        return joined[:, : self._hop]


@lru_cache(maxsize=256)
def can_share(before: tuple[StageChoice, ...], behind: tuple[StageChoice, ...], sample_rate: int) -> tuple[bool, bool]:
    """Return whether stages before the network, and those behind it, can run for many streams at once.

    Those before it must be without latency: the network would wait for them, and they for whole hops.
    """
    hop = grid_for(sample_rate).hop
    first, last = ([make(1) for make in _makers(stages, sample_rate)] for stages in (before, behind))
    return fits(first, hop) and not any(processor.latency for processor in first), fits(last, hop)


def _makers(stages: Sequence[StageChoice], sample_rate: int) -> list[Maker]:
    return [partial(_make, stage, sample_rate) for stage in stages]


def _make(stage: StageChoice, sample_rate: int, channels: int) -> Processor:
    processor, _ = build_chain((stage,), sample_rate, channels, nonfinite="silence")
    return processor
