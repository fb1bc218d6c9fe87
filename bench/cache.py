"""What a result from the cache costs beside making it: files of a few lengths and kinds, the method that is ``auto``.

In a process of its own, on one thread; the best of several runs. Files are in the system's file cache, as they are when
a job is done again.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from bench.one_thread import call
from bench.tables import table

RATE_HZ, CHANNELS = 48_000, 2
FILES = (("10 s, WAV", 10, "wav"), ("5 min, WAV", 300, "wav"), ("5 min, FLAC", 300, "flac"))
ROUNDS = 5


def measure() -> dict[str, Any]:
    """Return the seconds each file takes without a cache, when it is first kept, and when it is found."""
    files = {name: call("bench.cache", "seconds_of", seconds, suffix) for name, seconds, suffix in FILES}
    return {"rate_hz": RATE_HZ, "channels": CHANNELS, "rounds": ROUNDS, "files": files}


def seconds_of(seconds: int, suffix: str) -> dict[str, float]:
    """Return the seconds that a file takes in each of the three ways, and the bytes of source and result."""
    import unmuffle
    from unmuffle.cache import Cache

    enhancer = unmuffle.Enhancer()
    with tempfile.TemporaryDirectory() as folder, Cache(Path(folder) / "cache") as cache:
        noisy, clear = Path(folder) / f"noisy.{suffix}", Path(folder) / f"clear.{suffix}"
        _write(noisy, seconds)
        enhancer.enhance(np.zeros(RATE_HZ, np.float32), RATE_HZ)

        def timed(kept: Cache | None, *, found: bool) -> float:
            started = time.perf_counter()
            report = enhancer.enhance_file(noisy, clear, overwrite=True, cache=kept)
            if report.from_cache is not found:
                raise RuntimeError(f"{noisy} was {'not ' if found else ''}found in the cache")
            return time.perf_counter() - started

        best = dict.fromkeys(("without", "first", "found"), np.inf)
        for _ in range(ROUNDS):
            cache.clear()
            for way, kept, found in (("without", None, False), ("first", cache, False), ("found", cache, True)):
                best[way] = min(best[way], timed(kept, found=found))
        return {**best, "bytes": noisy.stat().st_size, "result_bytes": clear.stat().st_size}


def section(figures: dict[str, Any]) -> str:
    """Return the section of the page."""
    rows = [
        (
            name,
            f"{(row['bytes'] + row['result_bytes']) / 1e6:.0f}",
            f"{row['without']:.2f}",
            f"{row['first']:.2f}",
            f"{row['found']:.3f}",
            f"{row['without'] / row['found']:.0f}",
        )
        for name, row in figures["files"].items()
    ]
    head = ("file", "MB in and out", "without a cache, s", "kept, s", "found, s", "times faster")
    return (
        f"`enhance_file` of {figures['rate_hz'] // 1000} kHz, {figures['channels']} channels, with and without a "
        f"[cache](cache.md), one thread, best of {figures['rounds']}. Kept: for the first time, with checksums of the "
        "source before and after. Found: the checksum of the source, and a copy of the result that is verified as it "
        f"is made and brought to the disk.\n\n{table(head, rows)}"
    )


def _write(path: Path, seconds: int) -> None:
    rng = np.random.default_rng(0)
    second = rng.integers(-3000, 3000, (RATE_HZ, CHANNELS), dtype=np.int16)
    with soundfile.SoundFile(path, "w", RATE_HZ, CHANNELS, "PCM_16") as file:
        for number in range(seconds):
            file.write(np.roll(second, 997 * number, axis=0))
