"""Calls a pool in a thread of its own, so that the event loop never waits for the network.

Calls are kept a few milliseconds apart: in between, frames of many streams gather into one batch.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from unmuffle.serve.logs import LOGGER, log
from unmuffle.serve.metrics import ServerMetrics
from unmuffle.serve.pool import StreamPool

PAUSE_AFTER_FAULT_S = 0.1


class PoolRunner:
    """The thread that ticks a pool.

    Parameters
    ----------
    pool : StreamPool
    after_tick : callable
        Called in the thread after each tick.
    metrics : ServerMetrics
    interval_s : float
        Least time from the beginning of one tick to that of the next.
    """

    def __init__(
        self,
        pool: StreamPool,
        after_tick: Callable[[], None],
        metrics: ServerMetrics,
        interval_s: float,
    ) -> None:
        self._pool = pool
        self._after_tick = after_tick
        self._metrics = metrics
        self._interval_s = interval_s
        self._work = threading.Event()
        self._stopping = False
        self._asked_s = 0.0
        self._thread = threading.Thread(target=self._run, name="unmuffle-pool", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the tick that is running."""
        self._stopping = True
        self._work.set()
        self._thread.join()

    def wake(self) -> None:
        """Tell that there is something to do; from any thread."""
        if not self._work.is_set():
            self._asked_s = time.perf_counter()
            self._work.set()

    def _run(self) -> None:
        next_s = 0.0
        while True:
            self._work.wait()
            wait_s = next_s - time.perf_counter()
            if wait_s > 0.0:
                time.sleep(wait_s)
            self._work.clear()
            if self._stopping:
                return
            next_s = time.perf_counter() + self._interval_s
            self._tick()

    def _tick(self) -> None:
        begun_s, failed = time.perf_counter(), False
        try:
            frames = self._pool.tick()
        except Exception as fault:
            log("a tick of the pool failed", logging.ERROR, kind=type(fault).__name__)
            LOGGER.exception("traceback")
            # All else was done; the frames of the network that failed have passed as they came.
            self._metrics.tick_faults.inc()
            frames = 0
            failed = True
        if frames:
            took_s = time.perf_counter() - begun_s
            self._metrics.tick_s.observe(took_s)
            self._metrics.batch_frames.observe(frames)
            self._metrics.stage_s.labels("wait").observe(max(0.0, begun_s - self._asked_s))
            self._metrics.stage_s.labels("tick").observe(took_s)
        self._after_tick()
        if failed:
            time.sleep(PAUSE_AFTER_FAULT_S)
        if self._pool.ready():
            self.wake()
