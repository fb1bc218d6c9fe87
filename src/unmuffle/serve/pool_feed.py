"""Where samples wait on their way into a pool and out of it, and what is known of one stream in the pool."""

from __future__ import annotations

from math import inf
from threading import Lock

import numpy as np

from unmuffle.serve.pool_lane import Lane
from unmuffle.serve.slots import SlotArray
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.fifo import SampleFifo

FIRST_ROOM_S = 0.1
FAR = 1 << 40
"""Samples to the end of a stream that nobody has ended."""
HURRY = 0.5
"""A burst has to be worked off in this share of the time that it lasts."""


class Feed:
    """One stream at the network's door: samples in, in whole hops through the network, samples out.

    Samples may be pushed and taken by other threads than the one that moves them through the network. What was on its
    way while a reset came is dropped.

    Parameters
    ----------
    lane : Lane
    slots : int [channels]
    deadline_s : float
        A frame is late when it is made so long after it could have been.
    """

    def __init__(self, lane: Lane, slots: SlotArray, deadline_s: float) -> None:
        self.lane = lane
        self.slots = slots
        self.channels = lane.channels
        self.hop = lane.grid.hop
        self._delay = lane.delay
        self.deadline_s = deadline_s
        self._hurried_s = HURRY * lane.grid.hop_s
        self.lock = Lock()
        self.waiting = SampleFifo(self.channels, round(FIRST_ROOM_S * lane.grid.sample_rate))
        self.ready: list[FloatArray] = []
        self._closed = False
        self.epoch = 0
        self.cleared_epoch = -1
        """The epoch for which the arrays by slot were cleared."""
        self.frames = self.late_frames = self.gated_frames = 0
        self.arrived_s = self.expected_s = self.made_s = -inf
        self._begin()

    def _begin(self) -> None:
        self._held = self._left = self.received = self.made = self.nonfinite_samples = 0
        self._ends = False
        # What comes out first is the silence before the first sample.
        self._unborn = self._delay

    @property
    def has_hop(self) -> bool:
        """Whether there is a hop for the network."""
        return self._held >= self.hop and not self._closed

    @property
    def has_work(self) -> bool:
        """Whether there is something to do."""
        return self.has_hop

    @property
    def complete(self) -> bool:
        """Whether it has ended and all of it is made."""
        return self._ends and self.made == self.received

    @property
    def ending(self) -> bool:
        """Whether no more samples come."""
        return self._ends

    def push(self, block: FloatArray, now_s: float | None = None) -> bool:
        """Take samples [channels, n] in, at a time that is known unless told; return whether there is a hop."""
        with self.lock:
            count = block.shape[1]
            if now_s is not None and self._held < self.hop:
                self.arrived_s = now_s
            self.waiting.push(block)
            self.received += count
            self._held += count
            self._left += count
            return self._held >= self.hop

    def end(self, now_s: float | None = None) -> None:
        """Let no more samples come: silence pushes out the rest."""
        with self.lock:
            if self._ends:
                return
            self._ends = True
            if now_s is not None:
                self.arrived_s = now_s
            if self.received:
                padding = -(-(self.received + self._delay) // self.hop) * self.hop - self.received
                self.waiting.push_zeros(padding)
                self._held += padding

    def reset(self) -> None:
        """Forget everything, and begin anew."""
        with self.lock:
            self.epoch += 1
            self.waiting.clear()
            self.ready.clear()
            self._begin()

    def close(self) -> None:
        """Have nothing more to do with the slots, which may be another stream's from now on."""
        with self.lock:
            self._closed = True
        self.reset()

    def take_hop(self, out: FloatArray) -> tuple[int, int] | None:
        """Copy the oldest hop to ``out`` [channels, hop].

        Returns
        -------
        (int, int) or None
            The epoch it is of, and how many samples there are from its first to the end, ``FAR`` if that is not known;
            or None if there is no hop.
        """
        with self.lock:
            if self._held < self.hop or self._closed:
                return None
            left = self._left if self._ends else FAR
            out[:] = self.waiting.pop(self.hop)
            self._held -= self.hop
            self._left -= self.hop
            return self.epoch, left

    def give(self, hop: FloatArray, epoch: int) -> None:
        """Take a hop that has been through the network, unless it is of a stream that was reset meanwhile."""
        with self.lock:
            if epoch != self.epoch:
                return
            if self._unborn:
                skipped = min(self._unborn, self.hop)
                self._unborn -= skipped
                hop = hop[:, skipped:]
                if not hop.shape[1]:
                    return
            if self._ends:
                hop = hop[:, : self.received - self.made]
            self.made += hop.shape[1]
            self.ready.append(hop)

    def take(self) -> FloatArray:
        """Return what is ready, float32 [channels, m]."""
        with self.lock:
            pieces, self.ready = self.ready, []
        return np.concatenate(pieces, axis=1) if pieces else np.zeros((self.channels, 0), np.float32)

    def count_frame(self, now_s: float) -> bool:
        """Count a frame that is made now; return whether it is late."""
        self.frames += 1
        self.made_s = now_s
        self.expected_s = max(self.arrived_s, self.expected_s + self._hurried_s)
        if now_s <= self.expected_s + self.deadline_s:
            return False
        self.late_frames += 1
        return True
