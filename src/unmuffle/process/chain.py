"""Processors one behind the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from math import lcm
from typing import ClassVar

import numpy as np

from unmuffle.errors import InvalidParameterError
from unmuffle.process.processor import IntOrArray, Processor
from unmuffle.signal.arrays import BoolArray, FloatArray


class Chain(Processor):
    """Several processors as one: each works on what the one before it gives, and latencies add up.

    Parameters
    ----------
    processors : sequence of Processor
        At least one; all of one sample rate, and each with as many channels as the one before it gives. The chain owns
        them from now on.

    Raises
    ------
    InvalidParameterError
        If there is none, or rates or channels do not fit.
    """

    heeds_empty_blocks: ClassVar[bool] = True

    def __init__(self, processors: Sequence[Processor]) -> None:
        if not processors:
            raise InvalidParameterError("a Chain needs at least one processor")
        first = processors[0]
        channels = first.channels
        for place, processor in enumerate(processors):
            if (processor.sample_rate, processor.channels) != (first.sample_rate, channels):
                raise InvalidParameterError(
                    f"processor {place} of the chain ({type(processor).__name__}) has {processor.sample_rate} Hz and "
                    f"{processor.channels} channels, the first {first.sample_rate} Hz and {channels}"
                )
            channels = processor.channels_out
        super().__init__(first.sample_rate, first.channels, nonfinite=first.nonfinite)
        self.processors = tuple(processors)
        self._stages = [_Stage(processor) for processor in processors]

    @property
    def latency(self) -> int:
        """The sum of all latencies, in samples."""
        return sum(processor.latency for processor in self.processors)

    @property
    def channels_out(self) -> int:
        """Rows of what the last processor gives."""
        return self.processors[-1].channels_out

    @property
    def linked(self) -> bool:
        """Whether the channels of any of the processors are linked."""
        return any(processor.linked for processor in self.processors)

    @property
    def block_period(self) -> int:
        """The least common multiple of all periods, in samples."""
        return lcm(*(processor.block_period for processor in self.processors))

    def complete_after(self, received: IntOrArray) -> IntOrArray:
        """Return how much the last processor gives for what those before it give."""
        for processor in self.processors:
            received = processor.complete_after(received)
        return received

    def delay_for(self, block_size: int) -> int:
        """Return the longest lag of a cycle, after which blocks and all frames end together again."""
        cycle = lcm(block_size, self.block_period)
        started = -(-self.latency // cycle) * cycle
        received = np.arange(started, started + cycle, block_size)
        return int((received - self.complete_after(received)).max())

    def _process(self, block: FloatArray) -> FloatArray:
        for stage in self._stages:
            block = stage.process(block)
        return block

    def _flush(self) -> FloatArray:
        rest: FloatArray = np.zeros((self.channels, 0), np.float32)
        for stage in self._stages:
            rest = np.concatenate((stage.process(rest), stage.processor.flush()), axis=1)
        return rest

    def _reset(self, mask: BoolArray | None) -> None:
        now = self._stages[0].received
        for stage in self._stages:
            stage.reset(mask, now)


class _Stage:
    """A processor and how far it has come in the time of the chain's input, behind which it lags."""

    def __init__(self, processor: Processor) -> None:
        self.processor = processor
        self.received = 0
        self._births: deque[tuple[int, BoolArray]] = deque()

    def process(self, block: FloatArray) -> FloatArray:
        pieces = []
        while self._births and self._births[0][0] < self.received + block.shape[1]:
            time, mask = self._births.popleft()
            pieces.append(self.processor.process(block[:, : time - self.received]))
            block = block[:, time - self.received :]
            self.received = time
            self.processor.reset(mask)
        pieces.append(self.processor.process(block))
        self.received += block.shape[1]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=1)

    def reset(self, mask: BoolArray | None, time: int) -> None:
        """Forget at once; channels in a mask are born again when the new sound arrives here, at this time."""
        self.processor.reset(mask)
        if mask is None:
            self.received = 0
            self._births.clear()
        elif time > self.received:
            self._births.append((time, mask.copy()))
