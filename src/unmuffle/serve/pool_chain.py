"""A stream with more to it than the network: a preset, or what else the pool does not do for all streams together.

Its processor is the one of a lone stream, but that the network in it is a door to the pool: what comes before runs when
samples come, what comes after when the pool has moved the frames on.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import numpy as np

from unmuffle.process import DryWet
from unmuffle.serve.pool_feed import FIRST_ROOM_S, Feed
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.fifo import SampleFifo

HOPS_AT_ONCE = 4
"""How much of a burst goes into a chain in one round."""


class ChainFeed:
    """Where samples wait before and behind the processor of a stream; the counterpart of ``Feed``.

    Parameters
    ----------
    processor : DryWet
        From ``plan_stream``.
    feed : Feed
        That of its network.
    """

    def __init__(self, processor: DryWet, feed: Feed) -> None:
        self.processor = processor
        self.feed = feed
        self.channels = processor.channels
        self.lock = Lock()
        self.waiting = SampleFifo(self.channels, round(FIRST_ROOM_S * processor.sample_rate))
        self.ready: list[FloatArray] = []
        self._at_once = HOPS_AT_ONCE * feed.hop
        self._epoch = self._processed_epoch = 0
        self.failure: Exception | None = None
        self._begin()

    def _begin(self) -> None:
        self.received = 0
        self._ends = self._flushed = False

    @property
    def has_work(self) -> bool:
        """Whether there is something to do."""
        if self.failure is not None:
            return False
        return len(self.waiting) > 0 or (self._ends and not self._flushed) or self.feed.has_hop

    @property
    def complete(self) -> bool:
        """Whether it has ended and all of it is made, or will never be."""
        return self._flushed or (self._ends and self.failure is not None)

    @property
    def ending(self) -> bool:
        """Whether no more samples come."""
        return self._ends

    @property
    def nonfinite_samples(self) -> int:
        """How many were replaced by silence."""
        return self.processor.nonfinite_samples

    def push(self, block: FloatArray, now_s: float) -> bool:
        """Take samples [channels, n] in; return whether there is something to do."""
        with self.lock:
            if not self.has_work:
                self.feed.arrived_s = now_s
            self.waiting.push(block)
            self.received += block.shape[1]
            return True

    def end(self, now_s: float) -> None:
        """Let no more samples come."""
        with self.lock:
            self._ends = True
            self.feed.arrived_s = now_s

    def reset(self) -> None:
        """Forget everything, and begin anew."""
        with self.lock:
            self._epoch += 1
            self.waiting.clear()
            self.ready.clear()
            self._begin()

    def take(self) -> FloatArray:
        """Return what is ready, float32 [channels, m]."""
        with self.lock:
            pieces, self.ready = self.ready, []
        return np.concatenate(pieces, axis=1) if pieces else np.zeros((self.channels, 0), np.float32)

    def advance(self) -> None:
        """Run what comes before the network; called by the thread that ticks."""
        self._guarded(self._advance)

    def collect(self) -> None:
        """Run what comes behind the network, and the end of it all if it has come."""
        self._guarded(self._collect)

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do something whose failure is this stream's alone."""
        if self.failure is None and not self._flushed:
            try:
                work()
            except Exception as error:
                self.failure = error

    def _advance(self) -> None:
        with self.lock:
            epoch = self._epoch
            block = self.waiting.pop(min(len(self.waiting), self._at_once)).copy()
        if epoch != self._processed_epoch:
            self._processed_epoch = epoch
            self.processor.reset()
        self._give(self.processor.process(block), epoch)

    def _collect(self) -> None:
        epoch = self._processed_epoch
        self._give(self.processor.process(np.zeros((self.channels, 0), np.float32)), epoch)
        with self.lock:
            last = epoch == self._epoch and self._ends and not len(self.waiting)
        if last and not self.feed.has_hop:
            self._give(self.processor.flush(), epoch, last=True)

    def _give(self, block: FloatArray, epoch: int, *, last: bool = False) -> None:
        with self.lock:
            if epoch == self._epoch:
                self._flushed |= last
                if block.shape[1]:
                    self.ready.append(block)
