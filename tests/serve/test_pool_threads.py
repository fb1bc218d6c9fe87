"""Streams may be written, read, opened and closed by other threads while the pool ticks."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np
from pool_signals import lone, talk

from unmuffle.serve import PoolBusyError, PoolFullError, StreamPool


class Ticking:
    """A thread that ticks a pool."""

    def __init__(self, pool: StreamPool) -> None:
        self._pool = pool
        self._stop = threading.Event()
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                if not self._pool.tick():
                    time.sleep(0.001)
        except BaseException as error:
            self.error = error


RATES_HZ = (8_000, 16_000, 48_000, 22_050, 16_000, 16_000)
PRESETS = (None, None, None, None, None, "meeting")


def call(pool: StreamPool, place: int, audio: np.ndarray, made: dict[int, np.ndarray]) -> None:
    """Write, read and wait as a caller does who is faster than the pool."""
    pieces = []
    with pool.open(RATES_HZ[place], preset=PRESETS[place]) as stream:
        start = 0
        while start < audio.size:
            try:
                stream.write(audio[start : start + 317])
                start += 317
            except PoolBusyError:
                time.sleep(0.002)
            pieces.append(stream.read())
        stream.finish()
        while not stream.finished:
            time.sleep(0.001)
        pieces.append(stream.read())
    made[place] = np.concatenate([piece for piece in pieces if piece.size])


def come_and_go(pool: StreamPool, stop: threading.Event) -> None:
    """Open and close streams, some of them in the middle of things."""
    rng = np.random.default_rng(1)
    while not stop.is_set():
        try:
            stream = pool.open(int(rng.choice(RATES_HZ)), preset=rng.choice(PRESETS))
        except PoolFullError:
            continue
        for _ in range(int(rng.integers(0, 6))):
            stream.write(rng.standard_normal(int(rng.integers(1, 2_000))))
            if rng.random() < 0.2:
                stream.reset()
            stream.read()
        if rng.random() < 0.5:
            stream.finish()
        stream.close()


def test_writers_and_readers_of_their_own() -> None:
    pool = StreamPool(capacity=16, on_overload="keep")
    audios = [talk(rate, 1.5, seed=seed)[0] for seed, rate in enumerate(RATES_HZ)]
    made: dict[int, np.ndarray] = {}
    stop = threading.Event()
    guests = [threading.Thread(target=come_and_go, args=(pool, stop)) for _ in range(2)]
    callers = [threading.Thread(target=call, args=(pool, place, audio, made)) for place, audio in enumerate(audios)]
    with Ticking(pool):
        for thread in (*guests, *callers):
            thread.start()
        for thread in callers:
            thread.join()
        stop.set()
        for thread in guests:
            thread.join()
    for place, audio in enumerate(audios):
        wanted = lone(audio, RATES_HZ[place], preset=PRESETS[place])
        np.testing.assert_allclose(made[place], wanted, rtol=0, atol=1e-4)
    assert pool.statistics.channels == 0


def test_one_stream_written_and_read_by_two_threads() -> None:
    pool = StreamPool(capacity=2, on_overload="keep", max_pending_s=60.0)
    audio = talk(16_000, 2.0)[0]
    stream = pool.open(16_000)
    pieces: list[np.ndarray] = []

    def read() -> None:
        while not stream.finished:
            pieces.append(stream.read())
        pieces.append(stream.read())

    reader = threading.Thread(target=read)
    with Ticking(pool):
        reader.start()
        for start in range(0, audio.size, 97):
            stream.write(audio[start : start + 97])
        stream.finish()
        reader.join()
    made = np.concatenate([piece for piece in pieces if piece.size])
    np.testing.assert_allclose(made, lone(audio, 16_000), rtol=0, atol=1e-4)


class Timed:
    """A session that notes when it ran."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.calls_s: list[tuple[float, float]] = []

    def io_binding(self) -> Any:
        return self._session.io_binding()

    def run_with_iobinding(self, binding: Any) -> None:
        begun_s = time.perf_counter()
        self._session.run_with_iobinding(binding)
        self.calls_s.append((begun_s, time.perf_counter()))


def test_other_threads_run_while_the_network_does() -> None:
    pool = StreamPool(capacity=128, on_overload="keep")
    network = pool._engine.rungs._suppressors[0]
    session = Timed(network.graph.session)
    network.graph = replace(network.graph, session=session)
    streams = [pool.open(16_000) for _ in range(128)]
    stop = threading.Event()
    seen_s: list[float] = []

    def watch() -> None:
        while not stop.is_set():
            seen_s.append(time.perf_counter())

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(10):
        for stream in streams:
            stream.write(talk(16_000, 0.016))
        pool.tick()
    stop.set()
    watcher.join()
    seen = np.array(seen_s)
    within = [
        ((seen > begun_s + 0.2 * (ended_s - begun_s)) & (seen < ended_s - 0.2 * (ended_s - begun_s))).any()
        for begun_s, ended_s in session.calls_s
    ]
    assert len(within) == 30
    # Never, if the lock were held; how often hangs on how busy the machine is.
    assert any(within)
