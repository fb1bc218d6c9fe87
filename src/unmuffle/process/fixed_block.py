"""Blocks of one size in, blocks of the same size out: what an audio callback needs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.process.processor import Processor
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.fifo import SampleFifo
from unmuffle.signal.grid import is_whole


class FixedBlock:
    """Turn any processor into one that answers every block at once with a block of the same size.

    The output is that of the processor, later by a constant ``delay``, which is the least that lets every call be
    answered; it begins with so much silence.

    Parameters
    ----------
    processor : Processor
        Owned by this object from now on.
    block_size : int
        Samples in every block, at least 1.
    """

    def __init__(self, processor: Processor, block_size: int) -> None:
        if not is_whole(block_size) or block_size < 1:
            raise InvalidParameterError(f"block_size must be a whole number of at least 1, not {block_size!r}")
        self.processor = processor
        self.block_size = int(block_size)
        self._ready = SampleFifo(processor.channels_out)
        self._ready.push_zeros(self.delay)

    @property
    def delay(self) -> int:
        """Samples by which the output is later than the input."""
        return self.processor.delay_for(self.block_size)

    def process(self, block: npt.ArrayLike) -> FloatArray:
        """Take the next block, float32 [channels, block_size], and return one of the same shape."""
        samples = np.asarray(block)
        if samples.shape != (self.processor.channels, self.block_size):
            raise InvalidAudioError(
                f"this stream takes blocks of shape [{self.processor.channels}, {self.block_size}], "
                f"not {list(samples.shape)}; open it without block_size for blocks of any size"
            )
        self._ready.push(self.processor.process(samples))
        return self._ready.pop(self.block_size).copy()

    def flush(self) -> FloatArray:
        """End the stream: return the ``delay`` samples still owed, float32 [channels, delay], and be as new."""
        self._ready.push(self.processor.flush())
        rest = self._ready.pop(len(self._ready)).copy()
        self.reset()
        return rest

    def reset(self, mask: npt.ArrayLike | None = None) -> None:
        """Forget the past of all channels, or of those in the mask; see ``Processor.reset``."""
        self.processor.reset(mask)
        if mask is None:
            self._ready.clear()
            self._ready.push_zeros(self.delay)
        else:
            self._ready.silence(np.asarray(mask))
