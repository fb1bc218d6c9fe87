"""A pool of live streams that share calls of the network: hundreds of them on a core."""

from __future__ import annotations

import time
import warnings
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from threading import Lock, RLock

from unmuffle.denoise.choice import ModelName
from unmuffle.enhancer.chosen_chain import PresetName
from unmuffle.enhancer.overload import OnOverload, check_on_overload
from unmuffle.enhancer.steps import BYPASS
from unmuffle.errors import InvalidParameterError
from unmuffle.models import Model
from unmuffle.process.dry_wet import Strength, wet_share
from unmuffle.serve.pool_chain import ChainFeed
from unmuffle.serve.pool_engine import PoolEngine
from unmuffle.serve.pool_errors import PoolBusyError, PoolFullError
from unmuffle.serve.pool_feed import Feed
from unmuffle.serve.pool_ladder import AUTO, lay_ladder
from unmuffle.serve.pool_load import PoolLoad, PoolStep
from unmuffle.serve.pool_plan import plan_stream
from unmuffle.serve.pool_rungs import PoolRungs
from unmuffle.serve.pool_statistics import PoolStatistics, StreamStatistics
from unmuffle.serve.pool_stream import PoolStream
from unmuffle.serve.slots import Slots
from unmuffle.signal.grid import check_channels, check_sample_rate, is_whole

__all__ = ["PoolBusyError", "PoolFullError", "PoolStatistics", "PoolStream", "StreamPool", "StreamStatistics"]

ROUNDS = 4
"""Frames of one stream that a tick makes at most: others that come meanwhile are not held up by a burst."""


class StreamPool:
    """Live streams of any rates whose frames go through the network together.

    One thread calls ``tick``, as often as it likes; streams are opened, written, read, reset and closed from any.
    Each sounds as from ``unmuffle.open_stream``, to within 1e-4 of full scale, whatever its neighbours do.

    Parameters
    ----------
    model : str or path, default "auto"
        The network: that of ``method="auto"``, the name of one that ships, or an ONNX file that takes frames.
    capacity : int, default 256
        How many channels there is room for, 1 to 65,536; each takes about 32 kB.
    max_pending_s : float, default 1.0
        Audio of a stream that may wait, written and not read, before it takes no more, 0.05 to 60 s.
    on_overload : {"step_down", "keep"}, default "step_down"
        What to do where the machine cannot keep up: go on with a smaller model, then log-MMSE, then the input itself,
        and back when there is time again; or be late.
    clock : callable, default time.perf_counter
        Tells the time in seconds.

    Raises
    ------
    InvalidParameterError
        If a parameter is out of its range.
    ModelError
        If the model cannot be run.

    Warns
    -----
    UserWarning
        If ONNX Runtime cannot load a model that came with the package: log-MMSE then does the work.

    Examples
    --------
    >>> import numpy as np
    >>> pool = StreamPool(capacity=4)
    >>> caller, guest = pool.open(8_000), pool.open(48_000, channels=2)
    >>> caller.write(np.zeros(160, np.int16)); guest.write(np.zeros((2, 2_000), np.float32))
    >>> pool.tick()
    3
    >>> caller.read().shape, guest.read().shape
    ((0,), (2, 768))
    """

    def __init__(
        self,
        model: ModelName = AUTO,
        capacity: int = 256,
        *,
        max_pending_s: float = 1.0,
        on_overload: OnOverload = "step_down",
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        check_on_overload(on_overload)
        if not is_whole(capacity) or not 1 <= capacity <= 65_536:
            raise InvalidParameterError(f"capacity is {capacity!r}; it must be a whole number from 1 to 65,536")
        if not 0.05 <= max_pending_s <= 60.0:
            raise InvalidParameterError(f"max_pending_s is {max_pending_s!r}; it must be 0.05 to 60 s")
        self.capacity = int(capacity)
        self.max_pending_s = max_pending_s
        self.clock = clock
        ladder = lay_ladder(model, self.capacity, lighter=on_overload == "step_down")
        if ladder.warning:
            warnings.warn(ladder.warning, UserWarning, stacklevel=2)
        self._model = ladder.model
        self._is_default = model == AUTO
        self._names = (*ladder.names, BYPASS)
        rungs = PoolRungs(ladder.suppressors, self.capacity)
        self._engine = PoolEngine(rungs, self.capacity, clock)
        kept = 1 if on_overload == "keep" else len(self._names)
        self._load = PoolLoad(
            [PoolStep(name, (), rungs, place) for place, name in enumerate(self._names[:kept])], clock
        )
        self._slots = Slots(self.capacity)
        self._streams: set[PoolStream] = set()
        self._waiting: deque[PoolStream] = deque()
        self._lock = Lock()
        self._tick_lock = RLock()
        self._ticks = self._frames = 0
        self._tick_s = self._all_ticks_s = 0.0

    @property
    def model(self) -> Model | None:
        """What the network is; None where log-MMSE stands in for it."""
        return self._model

    def open(
        self,
        sample_rate: int,
        channels: int = 1,
        *,
        preset: PresetName | None = None,
        strength: Strength = 1.0,
        deadline_ms: float = 20.0,
        gate_silence: bool = True,
    ) -> PoolStream:
        """Open a stream.

        Parameters
        ----------
        sample_rate : int
            In Hz, 8,000 to 192,000.
        channels : int, default 1
            Of every block; they share their gains, and each takes a slot.
        preset : str or path, optional
            A chain around the network: the name of one of ``unmuffle presets``, or a TOML file.
        strength : float or "auto", default 1.0
            How much of the effect is heard, 0 to 1.
        deadline_ms : float, default 20
            How long after it could have been made a frame counts as late.
        gate_silence : bool, default True
            Spare the network silence, from the second second on.

        Raises
        ------
        PoolFullError
            If there are not as many slots free.
        InvalidParameterError
            If a parameter is out of its range.
        """
        rate, count = check_sample_rate(sample_rate), check_channels(channels)
        wet_share(strength, None)
        if not deadline_ms > 0.0:
            raise InvalidParameterError(f"deadline_ms is {deadline_ms!r}; it must be above 0 ms")
        plan = plan_stream(rate, count, self._model, preset, strength, is_default=self._is_default)
        with ExitStack() as undo:
            slots = self._slots.take(count)
            undo.callback(self._slots.give_back, slots)
            lane = self._engine.take_lane(rate, count, plan.shared)
            undo.callback(self._engine.give_back_lane, lane)
            feed = Feed(lane, slots, 1e-3 * deadline_ms)
            processor = plan.processor(feed, self._run_to_end)
            undo.pop_all()
        self._engine.mix.set(slots, plan.share)
        self._engine.mix.follow(slots, plan.follows_noise)
        self._engine.chain_mix.set(slots, 1.0)
        self._engine.gate.set(slots, gate_silence)
        chain = None if processor is None else ChainFeed(processor, feed)
        stream = PoolStream(self, feed, chain, strength if preset is None else 1.0)
        with self._lock:
            self._streams.add(stream)
        return stream

    def ready(self) -> bool:
        """Return whether there is something to do for ``tick``."""
        return bool(self._waiting)

    def tick(self) -> int:
        """Make the frames that can be made, of all streams together, at most four of each; return how many.

        Raises
        ------
        Exception
            Of ONNX Runtime, if the network failed, after all else was done: its frames have passed as they came.
        """
        with self._tick_lock:
            if not self._waiting:
                return 0
            begun_s = self.clock()
            self._engine.rungs.begin_tick()
            frames = first = self._round()
            for _ in range(1, ROUNDS):
                # Small calls cost a frame twice as much: the few that came meanwhile go with the next tick.
                if not self._waiting or 2 * len(self._waiting) < first:
                    break
                frames += self._round()
            now_s = self.clock()
            self._tick_s = now_s - begun_s
            self._all_ticks_s += self._tick_s
            self._ticks += 1
            self._frames += frames
            self._load.tell(frames, self._tick_s, now_s, self._live_since)
            self._tell_fault()
            return frames

    def close(self) -> None:
        """Close all streams."""
        with self._lock:
            streams = list(self._streams)
        for stream in streams:
            stream.close()

    @property
    def statistics(self) -> PoolStatistics:
        """How the pool fares."""
        report = self._load.report
        return PoolStatistics(
            streams=len(self._streams),
            channels=self.capacity - self._slots.free,
            capacity=self.capacity,
            ticks=self._ticks,
            frames=self._frames,
            batch_sizes=dict(self._engine.batch_sizes),
            tick_s=self._tick_s,
            mean_tick_s=self._all_ticks_s / self._ticks if self._ticks else 0.0,
            deadline_misses=self._engine.late_frames,
            load=report.load,
            rung=report.rung,
            steps_down=report.steps_down,
            steps_up=report.steps_up,
            seconds=report.seconds,
        )

    # What streams call.

    def wake(self, stream: PoolStream) -> None:
        """Take note that a stream has something to do."""
        stream.queued = True
        self._waiting.append(stream)

    def leave(self, stream: PoolStream) -> None:
        """Give back the slots of a stream that has nothing to do any more."""
        with self._lock:
            self._streams.discard(stream)
        self._engine.give_back_lane(stream.feed.lane)
        self._slots.give_back(stream.feed.slots)

    def rung_of(self, stream: PoolStream) -> str:
        """Return the name of what a stream hears."""
        return self._names[self._engine.rungs.heard(stream.feed.slots[0])]

    def set_share(self, stream: PoolStream, share: float) -> None:
        """Glide to a share of the effect."""
        with self._lock:
            if stream in self._streams:
                mix = self._engine.mix if stream.feed.lane.chain is None else self._engine.chain_mix
                mix.set(stream.feed.slots, share)

    # How a tick is made.

    def _round(self) -> int:
        """Move every stream that waits on by a frame."""
        # A writer may have queued a stream that was about to be queued here as well.
        streams = list(dict.fromkeys(self._waiting.popleft() for _ in range(len(self._waiting))))
        chains = [stream.chain for stream in streams if stream.chain is not None]
        for stream in streams:
            stream.queued = False
        for chain in chains:
            chain.advance()
        frames = self._engine.frame([stream.feed for stream in streams if stream.feed.has_hop])
        for chain in chains:
            chain.collect()
        for stream in streams:
            if stream.door.has_work and not stream.queued:
                self.wake(stream)
        return frames

    def _tell_fault(self) -> None:
        fault, self._engine.fault = self._engine.fault, None
        if fault is not None:
            raise fault

    def _run_to_end(self, feed: Feed) -> None:
        """Make all frames of a stream that ends."""
        while feed.has_hop:
            self._frames += self._engine.frame([feed])

    def _live_since(self, time_s: float) -> int:
        with self._lock:
            return sum(stream.feed.made_s >= time_s for stream in self._streams)
