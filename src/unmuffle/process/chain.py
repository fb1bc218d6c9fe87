"""Processors one behind the other."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, lcm

import numpy as np

from unmuffle.errors import InvalidParameterError
from unmuffle.process.processor import Processor
from unmuffle.signal.arrays import BoolArray, FloatArray


class Chain(Processor):
    """Several processors as one: each works on what the one before it gives, and latencies add up.

    Parameters
    ----------
    processors : sequence of Processor
        At least one; all of the same sample rate and number of channels. The chain owns them from now on.

    Raises
    ------
    InvalidParameterError
        If there is none, or rates or channels differ.
    """

    def __init__(self, processors: Sequence[Processor]) -> None:
        if not processors:
            raise InvalidParameterError("a Chain needs at least one processor")
        first = processors[0]
        for place, processor in enumerate(processors):
            if (processor.sample_rate, processor.channels) != (first.sample_rate, first.channels):
                raise InvalidParameterError(
                    f"processor {place} of the chain ({type(processor).__name__}) has {processor.sample_rate} Hz and "
                    f"{processor.channels} channels, the first {first.sample_rate} Hz and {first.channels}"
                )
        super().__init__(first.sample_rate, first.channels, nonfinite=first.nonfinite)
        self.processors = tuple(processors)

    @property
    def latency(self) -> int:
        """The sum of all latencies, in samples."""
        return sum(processor.latency for processor in self.processors)

    @property
    def block_period(self) -> int:
        """The least common multiple of all periods, in samples."""
        return lcm(*(processor.block_period for processor in self.processors))

    def delay_for(self, block_size: int) -> int:
        """Return the sum of the lags, each for the blocks that its processor is given."""
        delay = 0
        for processor in self.processors:
            delay += processor.delay_for(block_size)
            period = processor.block_period
            # What comes next sees whole frames, or the same blocks shifted by the latency.
            block_size = period if period > 1 else gcd(block_size, processor.latency)
        return delay

    def _process(self, block: FloatArray) -> FloatArray:
        for processor in self.processors:
            block = processor.process(block)
        return block

    def _flush(self) -> FloatArray:
        rest: FloatArray = np.zeros((self.channels, 0), np.float32)
        for processor in self.processors:
            rest = np.concatenate((processor.process(rest), processor.flush()), axis=1)
        return rest

    def _reset(self, mask: BoolArray | None) -> None:
        for processor in self.processors:
            processor.reset(mask)
