"""Peak memory and speed of ``unmuffle enhance`` on a file of hours, stereo, 48 kHz, 16 bit."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from unmuffle.jobs.one_thread import ONE_THREAD

RATE_HZ, CHANNELS = 48_000, 2
METHODS = ("auto", "log_mmse")


def measure(hours: float) -> dict[str, Any]:
    """Return memory in MB and real-time factor per method, for a file of so many hours."""
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        noisy = Path(folder) / "noisy.wav"
        _write(noisy, hours)
        for method in METHODS:
            clear = Path(folder) / "clear.wav"
            seconds, memory = _run(["enhance", str(noisy), "-o", str(clear), "--method", method, "--overwrite", "-q"])
            kept = soundfile.info(noisy).frames == soundfile.info(clear).frames
            figures[method] = {"mb": memory, "rtf": seconds / (3600 * hours), "same_length": kept}
    return {"hours": hours, "rate_hz": RATE_HZ, "channels": CHANNELS, "methods": figures}


def _write(path: Path, hours: float) -> None:
    rng = np.random.default_rng(0)
    minute = rng.integers(-3000, 3000, (60 * RATE_HZ, CHANNELS), dtype=np.int16)
    with soundfile.SoundFile(path, "w", RATE_HZ, CHANNELS, "PCM_16") as file:
        for number in range(round(60 * hours)):
            file.write(np.roll(minute, 997 * number, axis=0))


def _run(arguments: list[str]) -> tuple[float, float]:
    """Run the command and return its seconds and its peak memory in MB."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "unmuffle", *arguments], env=os.environ | ONE_THREAD)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise RuntimeError(f"unmuffle {' '.join(arguments)} ended with status {status}")
    assert isinstance(usage, resource.struct_rusage)
    return time.perf_counter() - started, usage.ru_maxrss / 1024
