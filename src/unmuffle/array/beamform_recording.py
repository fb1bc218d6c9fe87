"""A recording of many microphones that comes in blocks, as often as it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.process.processor import Processor
from unmuffle.signal.arrays import BoolArray, FloatArray

Blocks = Callable[[], Iterator[FloatArray]]
"""Begins anew at every call, and gives the blocks of the recording."""


@dataclass(frozen=True)
class Recording:
    """A recording, which of its channels are used, and its first minute.

    Attributes
    ----------
    blocks : callable
        Gives the blocks [channels, n] of all channels.
    sample_rate : int
        In Hz.
    used : bool [channels]
    start : float32 [channels, samples]
        Of all channels.
    """

    blocks: Blocks
    sample_rate: int
    used: BoolArray
    start: FloatArray

    @property
    def microphones(self) -> int:
        """How many are used."""
        return int(self.used.sum())

    @property
    def used_start(self) -> FloatArray:
        """The first minute of the channels that are used."""
        return self.start[self.used]

    def used_blocks(self) -> Iterator[FloatArray]:
        """Yield the blocks of the channels that are used."""
        for block in self.blocks():
            yield block[self.used]

    def noise(self, span: tuple[float, float]) -> FloatArray:
        """Return a span of the first minute, from start to end in seconds, of the channels that are used."""
        try:
            begin_s, end_s = (float(second) for second in span)
        except (TypeError, ValueError) as error:
            raise InvalidParameterError(f"the noise {span!r} is no span: give (start_s, end_s)") from error
        if not 0.0 <= begin_s < end_s < np.inf:
            raise InvalidParameterError(f"the noise from {begin_s} s to {end_s} s is no span: start before end")
        rate = self.sample_rate
        cut = self.used_start[:, round(begin_s * rate) : round(end_s * rate)]
        if cut.shape[1] == 0:
            raise InvalidAudioError(f"the noise from {begin_s} s to {end_s} s lies beyond the first minute, or the end")
        return cut


def first_samples(blocks: Blocks, samples: int, channels: int) -> FloatArray:
    """Return the beginning of a recording, at most so many samples; raise if there are none."""
    pieces: list[FloatArray] = [np.zeros((channels, 0), np.float32)]
    left = samples
    for block in blocks():
        pieces.append(block[:, :left])
        left -= pieces[-1].shape[1]
        if left <= 0:
            break
    start = np.concatenate(pieces, axis=1)
    if start.shape[1] == 0:
        raise InvalidAudioError("the recording has no samples")
    return start


def processed(processor: Processor, blocks: Iterator[FloatArray]) -> Iterator[FloatArray]:
    """Yield what a processor makes of blocks, and its rest."""
    for block in blocks:
        yield processor.process(block)
    yield processor.flush()
