"""Frames as calls deliver them, and what must hold of the answers."""

from __future__ import annotations

import asyncio
import importlib
import warnings
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest


def load(name: str) -> ModuleType:
    """Import a framework, whose own warnings at import are none of ours; skip where it is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip(name)
        return importlib.import_module(name)


def tone(rate: int, seconds: float, *, begin_s: float = 0.0, hz: float = 303.1, channels: int = 1) -> np.ndarray:
    """A steady sine of -10 dBFS, int16 [channels, n]."""
    time_s = begin_s + np.arange(round(rate * seconds)) / rate
    wave = np.rint(0.3 * 32768 * np.sin(2 * np.pi * hz * time_s)).astype(np.int16)
    return np.repeat(wave[None], channels, axis=0)


def cut(audio: np.ndarray, size: int) -> list[np.ndarray]:
    return [audio[:, i : i + size] for i in range(0, audio.shape[1], size)]


def joined(answers: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(answers, axis=1)


def steepest(audio: np.ndarray, rate: int) -> float:
    """Largest slope, in full scales a second."""
    return float(np.abs(np.diff(audio.astype(np.float64))).max()) * rate / 32768


SLOPE_OF_TONE = 0.3 * 2 * np.pi * 303.1
SLOPE_OF_FADE = 0.3 / 0.005


async def longest_stop_of_the_loop(work: Awaitable[Any]) -> float:
    """Seconds for which nothing else could run, at worst, while something was awaited."""
    loop = asyncio.get_running_loop()
    longest, done = 0.0, False

    async def watch() -> None:
        nonlocal longest
        before = loop.time()
        while not done:
            await asyncio.sleep(0.001)
            longest, before = max(longest, loop.time() - before), loop.time()

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    try:
        await work
    finally:
        done = True
        await watching
    return longest


def run(work: Callable[[], Awaitable[Any]], seconds: float = 60.0) -> Any:
    return asyncio.run(asyncio.wait_for(work(), seconds))
