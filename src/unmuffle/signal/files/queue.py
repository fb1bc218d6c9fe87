"""Blocks in, blocks of another size out."""

from __future__ import annotations

from collections import deque

import numpy as np

from unmuffle.signal.files.samples import Block


class BlockQueue:
    """First in, first out, for samples: put blocks of any size, take blocks of the size wanted.

    Parameters
    ----------
    channels : int
        Number of channels.
    """

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._blocks: deque[Block] = deque()
        self._taken = 0
        self.frames = 0

    def put(self, block: Block) -> None:
        """Append a block, shape [channels, n]."""
        if block.shape[1]:
            self._blocks.append(block)
            self.frames += block.shape[1]

    def take(self, frames: int) -> Block:
        """Remove up to `frames` samples, fewer only at the end; C-contiguous, shape [channels, n]."""
        frames = min(frames, self.frames)
        self.frames -= frames
        if self._blocks and self._taken == 0 and self._blocks[0].shape[1] == frames:
            return np.ascontiguousarray(self._blocks.popleft())
        out = np.empty((self._channels, frames), dtype=np.float32)
        done = 0
        while done < frames:
            first = self._blocks[0]
            piece = first[:, self._taken : self._taken + frames - done]
            out[:, done : done + piece.shape[1]] = piece
            done += piece.shape[1]
            self._taken += piece.shape[1]
            if self._taken == first.shape[1]:
                self._blocks.popleft()
                self._taken = 0
        return out
