"""Real-time factor and peak memory of every method, whole array and in blocks of 10 ms, beside noisereduce.

One thread; each in a process of its own; the best of several runs, in turns, so that a busy moment hits all alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.one_thread import call, peak_mb

SECONDS, RATE_HZ, ROUNDS = 60, 48_000, 5
BLOCK = RATE_HZ // 100
PEERS = ("noisereduce stationary", "noisereduce default")


def measure() -> dict[str, Any]:
    """Return the figures of all methods and peers."""
    from unmuffle.denoise import METHODS

    runs = [("whole", name) for name in (*METHODS, *PEERS)] + [("blocks", name) for name in METHODS]
    best: dict[str, dict[str, float]] = {name: {} for name in (*METHODS, *PEERS)}
    for _ in range(ROUNDS):
        for how, name in runs:
            seconds, memory = call("bench.speed", how, name)
            figures = best[name]
            figures[how] = min(seconds / SECONDS, figures.get(how, np.inf))
            figures[f"{how}_mb"] = min(memory, figures.get(f"{how}_mb", np.inf))
    return {"seconds": SECONDS, "rate_hz": RATE_HZ, "rounds": ROUNDS, "methods": best}


def recording() -> np.ndarray:
    """Return a minute of modulated noise, float32 [samples]; how fast a method is does not depend on what it hears."""
    noise = np.random.default_rng(0).standard_normal(SECONDS * RATE_HZ, np.float32)
    second = np.arange(RATE_HZ, dtype=np.float32) / RATE_HZ
    # In place and a second at a time, so that the peak of memory is not reached here.
    noise.reshape(SECONDS, RATE_HZ)[:] *= 0.02 + 0.2 * np.clip(np.sin(2 * np.pi * 3 * second), 0, 1)
    return noise


def whole(name: str) -> tuple[float, float]:
    """Time one call on the whole recording; return its seconds, and by how many MB it raised the peak of memory."""
    run = _whole_runner(name)
    noisy = recording()
    run(noisy[:RATE_HZ])
    before_mb, started = peak_mb(), time.perf_counter()
    run(noisy)
    return time.perf_counter() - started, peak_mb() - before_mb


def blocks(name: str) -> tuple[float, float]:
    """Time a live stream in blocks of 10 ms; return what :func:`whole` does."""
    import unmuffle

    noisy = recording()
    stream = unmuffle.open_stream(RATE_HZ, block_size=BLOCK, method=name)
    stream.process(noisy[:BLOCK])
    before_mb, started = peak_mb(), time.perf_counter()
    for start in range(0, len(noisy), BLOCK):
        stream.process(noisy[start : start + BLOCK])
    return time.perf_counter() - started, peak_mb() - before_mb


def _whole_runner(name: str) -> Callable[[np.ndarray], Any]:
    if name in PEERS:
        import noisereduce

        return lambda noisy: noisereduce.reduce_noise(y=noisy, sr=RATE_HZ, stationary=name.endswith("stationary"))
    import unmuffle

    return lambda noisy: unmuffle.enhance(noisy, RATE_HZ, method=name)
