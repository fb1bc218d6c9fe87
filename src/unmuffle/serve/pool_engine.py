"""One frame of many streams: analysis by rate, one call of the network for all, synthesis by rate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

import numpy as np

from unmuffle.serve.batch_chain import SharedStages
from unmuffle.serve.pool_feed import Feed
from unmuffle.serve.pool_hops import Hops, batches, take_hops
from unmuffle.serve.pool_lane import Frames, Lane
from unmuffle.serve.pool_mix import PoolMix
from unmuffle.serve.pool_rungs import PoolRungs
from unmuffle.serve.pool_silence import SilenceGate
from unmuffle.signal.arrays import BoolArray, FloatArray

ROWS_AT_ONCE = 48
"""Rows that go through the network together: beyond that, nothing is gained, and all of it still stays in the cache."""


@dataclass
class _Passing:
    """Hops on their way.

    Attributes
    ----------
    hops : Hops
        As the network is to hear them.
    came : float32 [rows, hop]
        As they came.
    delayed : float32 [rows, hop]
        What the network was given before, to which belongs what it gives now.
    frames : Frames or None
        Of those that sound.
    sounds : bool [rows] or slice
        Which those are.
    wet : float32 [rows, hop]
        What has become of the others, with room for them.
    """

    hops: Hops
    came: FloatArray
    delayed: FloatArray
    frames: Frames | None
    sounds: BoolArray | slice
    wet: FloatArray

    def rebuilt(self) -> FloatArray:
        """Return what is complete with the frames, float32 [rows, hop]."""
        if self.frames is not None:
            self.wet[self.sounds] = self.hops.lane.synthesize(self.frames.slots, self.frames.spectra)
        return self.wet


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
        """How much is heard of the network."""
        self.chain_mix = PoolMix(capacity)
        """How much is heard of the network and the stages of its lane together."""
        self.gate = SilenceGate(capacity)
        self.late_frames = 0
        self.fault: Exception | None = None
        """What the network failed with, until it has been told."""
        self.batch_sizes: dict[int, int] = {}
        self._capacity = capacity
        self._clock = clock
        self._lanes: dict[tuple[int, int, SharedStages | None], tuple[Lane, int]] = {}
        self._abandoned: list[Lane] = []
        self._lock = Lock()

    def take_lane(self, sample_rate: int, channels: int, stages: SharedStages | None = None) -> Lane:
        """Return the lane of a rate, a number of channels, and what its streams have around the network."""
        key = sample_rate, channels, stages
        with self._lock:
            lane, users = self._lanes.get(key, (None, 0))
            if lane is None:
                lane = Lane(sample_rate, channels, self._capacity, stages)
            self._lanes[key] = lane, users + 1
            return lane

    def give_back_lane(self, lane: Lane) -> None:
        """Say that a stream of a lane has gone; with the last of them goes what was kept."""
        with self._lock:
            key = lane.grid.sample_rate, lane.channels, lane.stages
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
        passing = [self._analyzed(hops) for hops in taken]
        sounding = [one.frames for one in passing if one.frames is not None]
        if sounding:
            rows = sum(len(frames.slots) for frames in sounding)
            self.batch_sizes[rows] = self.batch_sizes.get(rows, 0) + 1
            with self._noted():
                # Where it fails the frames pass untouched: no stream may lose its place for it.
                self.rungs.apply(sounding)
        for one in passing:
            self._give(one)

    def _analyzed(self, hops: Hops) -> _Passing:
        """Take hops in, and answer what is behind the gate of silence."""
        self._begin(hops)
        lane, slots, came = hops.lane, hops.slots, hops.samples
        peaks = hops.tamed_peaks()
        if lane.chain is not None:
            with self._noted():
                hops.samples = lane.chain.prepare(slots, came, hops.left)
            peaks = hops.peaks()
        closed = self.gate.closed(slots, peaks, lane.channels)
        wet = np.empty_like(came)
        if closed is None:
            spectra, delayed = lane.analyze(slots, hops.samples)
            return _Passing(hops, came, delayed, Frames(lane, slots, spectra), slice(None), wet)
        for place in np.flatnonzero(closed[:: lane.channels]).tolist():
            hops.feeds[place].gated_frames += 1
        sounds, frames = ~closed, None
        delayed = np.empty_like(came)
        wet[closed], delayed[closed] = lane.pass_silence(slots[closed], hops.samples[closed])
        if sounds.any():
            spectra, delayed[sounds] = lane.analyze(slots[sounds], hops.samples[sounds])
            frames = Frames(lane, slots[sounds], spectra)
        return _Passing(hops, came, delayed, frames, sounds, wet)

    def _give(self, one: _Passing) -> None:
        """Give the streams what has become of their hops."""
        hops, lane, slots = one.hops, one.hops.lane, one.hops.slots
        made = self.mix.mix(lane, slots, one.rebuilt(), one.delayed)
        if lane.chain is not None:
            with self._noted():
                made = lane.chain.finish(slots, made, hops.left)
            if lane.chain.whole:
                made = self.chain_mix.mix(lane, slots, made, lane.chain.delayed(slots, one.came))
        hops.give(made)
        now_s = self._clock()
        for feed in hops.feeds:
            self.late_frames += feed.count_frame(now_s)

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Do something whose failure is to be told when all else is done."""
        try:
            yield
        except Exception as error:
            self.fault = error

    def _begin(self, hops: Hops) -> None:
        """Clear the slots of streams that are new, or were reset."""
        fresh = []
        for feed, epoch in zip(hops.feeds, hops.epochs, strict=True):
            if feed.cleared_epoch != epoch:
                feed.cleared_epoch = epoch
                fresh.append(feed.slots)
        if fresh:
            slots = np.concatenate(fresh)
            for by_slot in (hops.lane, self.rungs, self.mix, self.chain_mix, self.gate):
                by_slot.clear(slots)
