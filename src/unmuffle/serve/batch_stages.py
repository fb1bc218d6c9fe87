"""Stages of a chain for many streams at once: the rows of one processor are some of the slots, others each time.

All that a processor knows of a row (``Processor.row_states``) is a line of numbers. For a call the lines of the slots
that have a hop are written into a processor with as many rows, and read from it afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, chain

import numpy as np
import numpy.typing as npt

from unmuffle.process import Chain, Processor
from unmuffle.serve.slots import SlotArray
from unmuffle.signal.arrays import BoolArray, FloatArray

Float64Array = npt.NDArray[np.float64]
Maker = Callable[[int], Processor]
"""Takes a number of channels."""


class BatchStages:
    """Stages one behind the other, for any choice of slots; one channel a stream.

    Parameters
    ----------
    makers : sequence of callable
        Stages for which ``fits`` is true.
    hop : int
        Samples of every call.
    capacity : int
        Slots of the pool.

    Attributes
    ----------
    latency : int
        That of the stages one behind the other, in samples.
    delay : int
        By how many samples output is behind input here, where whole hops come.
    """

    def __init__(self, makers: Sequence[Maker], hop: int, capacity: int) -> None:
        self._makers = makers
        self._hop = hop
        self._capacity = capacity
        one = _Rows(makers, 1, hop)
        self.latency, self.delay = one.latency, one.delay
        self._newborn = one.newborn()
        # The last line is for rows that are nobody's.
        self._lines: Float64Array = np.zeros((capacity + 1, self._newborn.size))
        self._lines[-1] = self._newborn
        self._hops: npt.NDArray[np.intp] = np.zeros(capacity, np.intp)
        """Since birth."""
        self._of_size: dict[int, _Rows] = {1: one}

    def clear(self, slots: SlotArray) -> None:
        """Let slots begin anew."""
        self._lines[slots] = self._newborn
        self._hops[slots] = 0

    def process(self, slots: SlotArray, samples: FloatArray, left: SlotArray | None = None) -> FloatArray:
        """Take the next hop of each slot in; return what is complete, ``delay`` behind it, both float32 [rows, hop].

        Parameters
        ----------
        slots : int [rows]
        samples : float32 [rows, hop]
        left : int [rows], optional
            How many samples from here on there are before the end of each stream: silence comes after it.
        """
        if not self._makers:
            return samples
        rows, size = len(slots), _size_for(len(slots))
        stages = self._of_size.get(size)
        if stages is None:
            stages = self._of_size[size] = _Rows(self._makers, size, self._hop)
        padded, taken = samples, slots
        if size > rows:
            padded = np.zeros((size, self._hop), np.float32)
            padded[:rows] = samples
            taken = np.full(size, self._capacity, np.intp)
            taken[:rows] = slots
        np.take(self._lines, taken, axis=0, out=stages.lines, mode="clip")
        out = stages.process(padded, self._hop * self._hops[slots], left)
        self._lines[slots] = stages.lines[:rows]
        self._hops[slots] += 1
        return out[:rows]


def fits(processors: Sequence[Processor], hop: int) -> bool:
    """Return whether processors one behind the other can run row by row, hop by hop."""
    late = False
    for processor in _flat(processors):
        # Frames are counted from the first sample, which comes somewhere within a hop where there is latency before.
        steady = processor.block_period == 1 if late else hop % processor.block_period == 0
        if processor.row_states is None or processor.channels_out != processor.channels or not steady:
            return False
        late |= processor.latency > 0
    return True


class _Rows:
    """Processors of so many rows one behind the other, in the middle of a stream, and the lines of their states."""

    def __init__(self, makers: Sequence[Maker], rows: int, hop: int) -> None:
        self._stages = _flat([make(rows) for make in makers])
        self.latency = sum(stage.latency for stage in self._stages)
        *self._delays, self.delay = accumulate((stage.delay_for(hop) for stage in self._stages), initial=0)
        self._rows, self._hop = rows, hop
        silence: FloatArray = np.zeros((rows, hop), np.float32)
        while self._through(silence).shape[1] < hop:
            pass
        shapes = [state.shape for state in self._states()]
        borders = list(accumulate((int(np.prod(shape[1:])) for shape in shapes), initial=0))
        self.lines: Float64Array = np.zeros((rows, borders[-1]))
        self._parts = [
            self.lines[:, start:stop].reshape(shape)
            for shape, start, stop in zip(shapes, borders, borders[1:], strict=False)
        ]

    def newborn(self) -> Float64Array:
        """Return the line of a row that has heard nothing."""
        for stage in self._stages:
            stage.reset(np.ones(self._rows, np.bool_))
        self._save()
        return self.lines[0].copy()

    def process(self, samples: FloatArray, heard: SlotArray, left: SlotArray | None) -> FloatArray:
        """Go on from the lines, and change them; ``heard`` is of the first rows, which are somebody's."""
        for part, state in zip(self._parts, self._states(), strict=True):
            state[...] = part
        for stage, delay in zip(self._stages, self._delays, strict=True):
            if delay:
                samples = _silence_before(samples, delay - heard)
            if left is not None:
                samples = _silence_after(samples, left + delay)
            samples = stage.process(samples)
        self._save()
        return samples

    def _save(self) -> None:
        for part, state in zip(self._parts, self._states(), strict=True):
            part[...] = state

    def _states(self) -> list[npt.NDArray[np.generic]]:
        return list(chain.from_iterable(stage.row_states or () for stage in self._stages))

    def _through(self, samples: FloatArray) -> FloatArray:
        for stage in self._stages:
            samples = stage.process(samples)
        return samples


def _flat(processors: Sequence[Processor]) -> list[Processor]:
    """Return processors with the members of chains in the place of the chains."""
    found: list[Processor] = []
    for processor in processors:
        found += _flat(processor.processors) if isinstance(processor, Chain) else [processor]
    return found


def _silence_before(samples: FloatArray, starts: SlotArray) -> FloatArray:
    """Return samples [rows, n] with silence before the birth of each of the first rows."""
    return _silenced(samples, np.arange(samples.shape[1]) < starts[:, None]) if starts.max() > 0 else samples


def _silence_after(samples: FloatArray, stops: SlotArray) -> FloatArray:
    """Return samples [rows, n] with silence after the end of each of the first rows."""
    return _silenced(samples, np.arange(samples.shape[1]) >= stops[:, None])


def _silenced(samples: FloatArray, silent: BoolArray) -> FloatArray:
    changed = samples.copy()
    changed[: len(silent)][silent] = 0.0
    return changed


def _size_for(rows: int) -> int:
    """Return how many rows the processors have that serve so many: few sizes, and little that is nobody's."""
    return next((size for size in (1, 2, 4) if rows <= size), -(-rows // 8) * 8)
