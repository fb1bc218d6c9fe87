"""A long file takes no more memory than a short one."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import soundfile

from peak_memory import PEAK_MB

pytest.importorskip("resource", reason="peak memory is asked of the operating system by the resource module")

RATE, CHANNELS = 48_000, 2
LONG_S, SHORT_S = 600, 20
MOST_GROWTH_MB = 100

MEASURE = f"""
import sys
import unmuffle
{PEAK_MB}
unmuffle.Enhancer(method="wiener").enhance_file(sys.argv[1], sys.argv[2])
print(peak_mb())
"""


def peak_memory_mb(folder, seconds):
    source = folder / f"{seconds}.wav"
    second = (0.05 * np.random.default_rng(0).standard_normal((RATE, CHANNELS))).astype(np.float32)
    with soundfile.SoundFile(source, "w", RATE, CHANNELS, "PCM_16") as file:
        for _ in range(seconds):
            file.write(second)
    command = [sys.executable, "-c", MEASURE, source, folder / f"{seconds}.clear.wav"]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert soundfile.info(folder / f"{seconds}.clear.wav").frames == seconds * RATE
    return float(done.stdout)


def test_memory_does_not_grow_with_the_length(tmp_path):
    short = peak_memory_mb(tmp_path, SHORT_S)
    long = peak_memory_mb(tmp_path, LONG_S)
    # As float32 alone the long one would take 460 MB.
    assert long - short < MOST_GROWTH_MB
    assert long < 300
