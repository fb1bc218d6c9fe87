"""The latency that is measured, by perturbing the input and looking where the output first changes."""

from __future__ import annotations

from typing import Any

import numpy as np

from unmuffle.denoise import METHODS, SpectralProcessor

RATES_HZ = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000)
SECONDS = 0.5


def measure() -> dict[str, Any]:
    """Return the latency told and measured at each rate, the worst of all methods."""
    rows = []
    for rate in RATES_HZ:
        measured = {name: look_ahead(name, rate) for name in METHODS}
        told = _processor("log_mmse", rate).latency
        rows.append({"rate_hz": rate, "told": told, "least": min(measured.values()), "most": max(measured.values())})
    return {"rates": rows}


def look_ahead(method: str, rate: int) -> int:
    """Return how many samples of the future an output sample of a method depends on, at most."""
    samples = round(SECONDS * rate)
    noisy = (0.1 * np.random.default_rng(0).standard_normal((1, samples))).astype(np.float32)
    before = _run(method, rate, noisy)
    hop = _processor(method, rate).block_period
    farthest = 0
    # The last sample of a frame reaches back farthest; its neighbours show that it is this one.
    for place in (samples // 2 // hop * hop + offset for offset in (-2, -1, 0, 1)):
        perturbed = noisy.copy()
        perturbed[:, place] += 1000.0
        changed = np.flatnonzero(_run(method, rate, perturbed)[0] != before[0])
        farthest = max(farthest, place - int(changed[0]))
    return farthest


def _processor(method: str, rate: int) -> SpectralProcessor:
    return SpectralProcessor(METHODS[method].make(None), rate)


def _run(method: str, rate: int, audio: np.ndarray) -> np.ndarray:
    processor = _processor(method, rate)
    return np.concatenate((processor.process(audio), processor.flush()), axis=1)
