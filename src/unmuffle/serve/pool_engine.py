"""One frame of many streams: analysis by rate, one call of the network for all, synthesis by rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

import numpy as np

from unmuffle.serve.pool_feed import Feed
from unmuffle.serve.pool_hops import Hops, batches, take_hops
from unmuffle.serve.pool_lane import Frames, Lane
from unmuffle.serve.pool_mix import PoolMix
from unmuffle.serve.pool_rungs import PoolRungs
from unmuffle.serve.pool_silence import SilenceGate
from unmuffle.signal.arrays import FloatArray

ROWS_AT_ONCE = 48
"""Rows that go through the network together: beyond that, nothing is gained, and all of it still stays in the cache."""


class PoolEngine:
    """All arrays by slot, and what is done to them.

    One thread at a time calls ``frame``; lanes may be taken and given back by any.

    Parameters
    ----------
    rungs : PoolRungs
    capacity : int
        Slots.
    clock : callable
        Tells the time in seconds.
    """

    def __init__(self, rungs: PoolRungs, capacity: int, clock: Callable[[], float]) -> None:
        self.rungs = rungs
        self.mix = PoolMix(capacity)
        self.gate = SilenceGate(capacity)
        self.late_frames = 0
        self.fault: Exception | None = None
        """What the network failed with, until it has been told."""
        self.batch_sizes: dict[int, int] = {}
        self._capacity = capacity
        self._clock = clock
        self._lanes: dict[tuple[int, int], tuple[Lane, int]] = {}
        self._abandoned: list[Lane] = []
        self._lock = Lock()

    def take_lane(self, sample_rate: int, channels: int) -> Lane:
        """Return the lane of a rate and a number of channels."""
        with self._lock:
            lane, users = self._lanes.get((sample_rate, channels), (None, 0))
            if lane is None:
                lane = Lane(sample_rate, channels, self._capacity)
            self._lanes[sample_rate, channels] = lane, users + 1
            return lane

    def give_back_lane(self, lane: Lane) -> None:
        """Say that a stream of a lane has gone; with the last of them goes what was kept."""
        with self._lock:
            key = lane.grid.sample_rate, lane.channels
            _, users = self._lanes.pop(key)
            if users > 1:
                self._lanes[key] = lane, users - 1
            else:
                self._abandoned.append(lane)

    def frame(self, feeds: Sequence[Feed]) -> int:
        """Move each feed on by a hop; return how many were."""
        while self._abandoned:
            lane = self._abandoned.pop()
            self.rungs.forget(lane)
            self.mix.forget(lane)
        frames = 0
        for batch in batches(feeds, ROWS_AT_ONCE):
            taken = [hops for lane, some in batch if (hops := take_hops(lane, some)) is not None]
            self._move(taken)
            frames += sum(len(hops.feeds) for hops in taken)
        return frames

    def _move(self, taken: Sequence[Hops]) -> None:
        sounding: list[tuple[Hops, Frames, FloatArray]] = []
        for hops in taken:
            self._begin(hops)
            loud = self._pass_silence(hops)
            if loud is not None:
                spectra, delayed = loud.lane.analyze(loud.slots, loud.samples)
                sounding.append((loud, Frames(loud.lane, loud.slots, spectra), delayed))
        if not sounding:
            return
        rows = sum(len(hops.slots) for hops, _, _ in sounding)
        self.batch_sizes[rows] = self.batch_sizes.get(rows, 0) + 1
        try:
            self.rungs.apply([frames for _, frames, _ in sounding])
        except Exception as error:
            # The frames pass untouched: no stream may lose its place for it.
            self.fault = error
        for hops, frames, delayed in sounding:
            self._give(hops, hops.lane.synthesize(hops.slots, frames.spectra), delayed)

    def _begin(self, hops: Hops) -> None:
        """Clear the slots of streams that are new, or were reset."""
        fresh = []
        for feed, epoch in zip(hops.feeds, hops.epochs, strict=True):
            if feed.cleared_epoch != epoch:
                feed.cleared_epoch = epoch
                fresh.append(feed.slots)
        if fresh:
            slots = np.concatenate(fresh)
            for by_slot in (hops.lane, self.rungs, self.mix, self.gate):
                by_slot.clear(slots)

    def _pass_silence(self, hops: Hops) -> Hops | None:
        """Answer what is behind the gate; return the rest."""
        closed = self.gate.closed(hops.slots, hops.peaks(), hops.lane.channels)
        if closed is None:
            return hops
        silent = hops.part(closed)
        if silent is not None:
            for feed in silent.feeds:
                feed.gated_frames += 1
            self._give(silent, *silent.lane.pass_silence(silent.slots, silent.samples))
        return hops.part(~closed)

    def _give(self, hops: Hops, wet: FloatArray, delayed: FloatArray) -> None:
        hops.give(self.mix.mix(hops.lane, hops.slots, wet, delayed))
        now_s = self._clock()
        for feed in hops.feeds:
            self.late_frames += feed.count_frame(now_s)
