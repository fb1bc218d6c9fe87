"""Overlapping frames out of a stream of blocks, without a copy of the stream."""

from __future__ import annotations

import numpy as np

from unmuffle.signal.arrays import FloatArray


class Framer:
    """Cuts a stream into frames that start every ``hop`` samples from the first sample on.

    Parameters
    ----------
    channels : int
        Rows of every block.
    frame : int
        Samples in a frame.
    hop : int
        Samples from one frame's start to the next, 1 to ``frame``.
    """

    def __init__(self, channels: int, frame: int, hop: int) -> None:
        self._frame = frame
        self._hop = hop
        self._parts: list[FloatArray] = [np.zeros((channels, 0), np.float32)]
        self._waiting = 0

    def push(self, block: FloatArray) -> FloatArray:
        """Take a block [channels, n] in and return the frames it completes, [channels, frames, frame]."""
        self._parts.append(block.copy())
        self._waiting += block.shape[1]
        count = max(0, (self._waiting - self._frame) // self._hop + 1)
        if count == 0:
            return np.zeros((block.shape[0], 0, self._frame), np.float32)
        samples = self.rest()
        self._parts = [samples[:, count * self._hop :]]
        self._waiting -= count * self._hop
        view = np.lib.stride_tricks.sliding_window_view(samples, self._frame, axis=1)
        frames: FloatArray = view[:, : count * self._hop : self._hop]
        return frames

    def rest(self) -> FloatArray:
        """Return the samples that are in no frame yet, or will be in another one, [channels, n]."""
        return self._parts[0] if len(self._parts) == 1 else np.concatenate(self._parts, axis=1)


def hann(length: int) -> FloatArray:
    """Return the periodic Hann window, float32 [length]."""
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / length)).astype(np.float32)
