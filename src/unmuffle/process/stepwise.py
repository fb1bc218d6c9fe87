"""Shares that are decided once a period, from what is past, and glide from one decision to the next."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.grid import grid_for


class StepwiseShare(ABC):
    """Base of what follows signals and says, sample by sample, how much of an effect is to be heard.

    It decides every 16 ms, and glides there over the next 16 ms, so that it is causal and does not depend on how the
    signals are cut into blocks.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    channels : int
        Rows of every block.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self.period = grid_for(sample_rate).hop
        self.channels = channels
        self._step_s = self.period / sample_rate
        self.reset(None)

    def reset(self, mask: BoolArray | None) -> None:
        """Forget the past of all channels, or of those in the mask."""
        if mask is None:
            self._filled = 0
            self._from: FloatArray = np.ones(self.channels)
            self._to: FloatArray = np.ones(self.channels)
        else:
            # Both may be one array.
            self._from, self._to = np.where(mask, 1.0, self._from), np.where(mask, 1.0, self._to)

    def shares(self, *signals: FloatArray) -> FloatArray:
        """Return the share for each of the next samples, float32 [channels, n]; the signals have this shape, too."""
        out: FloatArray = np.empty(signals[0].shape, np.float32)
        done = 0
        while done < out.shape[1]:
            taken = min(out.shape[1] - done, self.period - self._filled)
            part = slice(done, done + taken)
            ramp = (self._filled + np.arange(1, taken + 1)) / self.period
            out[:, part] = self._from[:, None] + (self._to - self._from)[:, None] * ramp
            self._take(*(signal[:, part] for signal in signals))
            self._filled += taken
            done += taken
            if self._filled == self.period:
                self._filled = 0
                self._from, self._to = self._to, self._decide()
        return out

    @abstractmethod
    def _take(self, *parts: FloatArray) -> None:
        """Take in the next samples of a period, [channels, n] of each signal."""

    @abstractmethod
    def _decide(self) -> FloatArray:
        """Return where the next period glides to, [channels]: a period has ended."""
