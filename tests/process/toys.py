"""Processors simple enough to see through."""

from __future__ import annotations

import numpy as np

from unmuffle.process import Processor


class Copy(Processor):
    """Its input times a gain, in frames of ``period`` samples, held back so that it looks ``latency`` ahead."""

    def __init__(self, latency: int, period: int = 1, *, gain: float = 1.0, rate: int = 16_000, channels: int = 1):
        super().__init__(rate, channels)
        assert latency >= period - 1
        self.gain = np.float32(gain)
        self._latency, self._period = latency, period
        self._reset(None)

    @property
    def latency(self) -> int:
        return self._latency

    @property
    def block_period(self) -> int:
        return self._period

    def _process(self, block):
        self._held = np.concatenate((self._held, self.gain * block), axis=1)
        self._received += block.shape[1]
        complete = max(0, self._received // self._period * self._period - (self._latency - self._period + 1))
        count = complete - self._returned
        self._returned = complete
        ready, self._held = self._held[:, :count], self._held[:, count:]
        return ready

    def _flush(self):
        return self._held

    def _reset(self, mask):
        if mask is None:
            self._held = np.zeros((self.channels, 0), np.float32)
            self._received = self._returned = 0
        else:
            self._held[mask] = 0.0


class Counter(Processor):
    """Adds to every sample its number since birth, for each channel on its own: it knows when it was reset."""

    def __init__(self, channels: int = 1):
        super().__init__(16_000, channels)
        self._reset(None)

    @property
    def latency(self) -> int:
        return 0

    def _process(self, block):
        numbers = self._age[:, None] + np.arange(block.shape[1])
        self._age += block.shape[1]
        return (block + numbers).astype(np.float32)

    def _flush(self):
        return np.zeros((self.channels, 0), np.float32)

    def _reset(self, mask):
        if mask is None:
            self._age = np.zeros(self.channels, int)
        else:
            self._age[mask] = 0


def white(channels: int, samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.9, 0.9, (channels, samples)).astype(np.float32)


def run(processor: Processor, audio: np.ndarray, size: int | None = None) -> np.ndarray:
    size = size or max(1, audio.shape[1])
    pieces = [processor.process(audio[:, at : at + size]) for at in range(0, audio.shape[1], size)]
    return np.concatenate([*pieces, processor.flush()], axis=1)


def longest_lag(processor: Processor, size: int, blocks: int) -> int:
    """By how many samples the output lags at most, by trying."""
    block = np.zeros((processor.channels, size), np.float32)
    lag = longest = 0
    for _ in range(blocks):
        lag += size - processor.process(block).shape[1]
        longest = max(longest, lag)
    return longest
