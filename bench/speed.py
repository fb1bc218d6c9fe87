"""Real-time factor and peak memory of every method, whole array and in blocks of 10 ms, beside noisereduce.

One thread; each in a process of its own; the best of three runs, in turns, so that a busy moment hits all alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.one_thread import call, peak_mb

SECONDS, RATE_HZ, ROUNDS = 60, 48_000, 3
BLOCK = RATE_HZ // 100
PEERS = ("noisereduce stationary", "noisereduce default")


def measure() -> dict[str, Any]:
    """Return the figures of all methods and peers."""
    from unmuffle.denoise import METHODS

    runs = [("whole", name) for name in (*METHODS, *PEERS)] + [("blocks", name) for name in METHODS]
    best: dict[str, dict[str, float]] = {name: {} for name in (*METHODS, *PEERS)}
    idle_mb = call("bench.speed", "memory_before")
    for _ in range(ROUNDS):
        for how, name in runs:
            seconds, memory = call("bench.speed", how, name)
            figures = best[name]
            figures[how] = min(seconds / SECONDS, figures.get(how, np.inf))
            figures[f"{how}_mb"] = min(memory - idle_mb, figures.get(f"{how}_mb", np.inf))
    return {"seconds": SECONDS, "rate_hz": RATE_HZ, "methods": best}


def recording() -> np.ndarray:
    """Return a minute of modulated noise, float32 [samples]; how fast a method is does not depend on what it hears."""
    rng = np.random.default_rng(0)
    envelope = 0.02 + 0.2 * np.clip(np.sin(2 * np.pi * 3.1 * np.arange(SECONDS * RATE_HZ) / RATE_HZ), 0, 1)
    return (envelope * rng.standard_normal(SECONDS * RATE_HZ)).astype(np.float32)


def memory_before() -> float:
    """Return the memory of a process that has the recording and has imported everything, in MB."""
    import unmuffle

    noisy = recording()
    unmuffle.enhance(noisy[:RATE_HZ], RATE_HZ)
    return peak_mb()


def whole(name: str) -> tuple[float, float]:
    """Time one call on the whole recording: seconds and peak memory in MB."""
    run = _whole_runner(name)
    noisy = recording()
    run(noisy[:RATE_HZ])
    started = time.perf_counter()
    run(noisy)
    return time.perf_counter() - started, peak_mb()


def blocks(name: str) -> tuple[float, float]:
    """Time a live stream in blocks of 10 ms: seconds and peak memory in MB."""
    import unmuffle

    noisy = recording()
    stream = unmuffle.open_stream(RATE_HZ, block_size=BLOCK, method=name)
    stream.process(noisy[:BLOCK])
    started = time.perf_counter()
    for start in range(0, len(noisy), BLOCK):
        stream.process(noisy[start : start + BLOCK])
    return time.perf_counter() - started, peak_mb()


def _whole_runner(name: str) -> Callable[[np.ndarray], Any]:
    if name in PEERS:
        import noisereduce

        return lambda noisy: noisereduce.reduce_noise(y=noisy, sr=RATE_HZ, stationary=name.endswith("stationary"))
    import unmuffle

    return lambda noisy: unmuffle.enhance(noisy, RATE_HZ, method=name)
