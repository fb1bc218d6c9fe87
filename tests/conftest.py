"""What tests of several folders share: noisy speech of known make, and files of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

NoisySpeech = Callable[..., np.ndarray]
WriteFile = Callable[..., Path]
NamesIn = Callable[["str | Path"], "list[str]"]
RunCommand = Callable[..., "subprocess.CompletedProcess[bytes]"]


def make_noisy_speech(
    rate: int = 16_000, seconds: float = 1.5, channels: int = 1, *, seed: int = 0, speech: float = 0.3
) -> np.ndarray:
    """Harmonics that swell and fall like syllables in steady noise; float64 [channels, samples], below full scale."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(rate * seconds)) / rate
    syllables = np.clip(np.sin(2 * np.pi * 3.0 * time + seed), 0.0, None) ** 2
    voice = sum(np.sin(2 * np.pi * 140.0 * k * time) / k for k in range(1, 15)) * syllables
    shares = np.linspace(1.0, 0.4, channels)[:, None]
    return speech * shares * voice / 2.0 + 0.02 * rng.standard_normal((channels, time.size))


def write_audio_file(path: Path, audio: np.ndarray, rate: int = 16_000, subtype: str | None = None) -> Path:
    """Write [channels, samples] by a library that is independent of the package's own writer for WAV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.atleast_2d(audio).T, rate, subtype=subtype)
    return path


@pytest.fixture(scope="session")
def noisy_speech() -> NoisySpeech:
    return make_noisy_speech


@pytest.fixture(scope="session")
def write_file() -> WriteFile:
    return write_audio_file


@pytest.fixture(scope="session")
def names_in() -> NamesIn:
    """All that is in a folder, hidden files too."""
    return lambda folder: sorted(path.name for path in Path(folder).iterdir())


@pytest.fixture(scope="session")
def run_command() -> RunCommand:
    """Run ``unmuffle`` in a process of its own."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[bytes]:
        environment = os.environ | {"COLUMNS": "100"}
        command = [sys.executable, "-m", "unmuffle", *map(str, arguments)]
        options.setdefault("stdin", None if "input" in options else subprocess.DEVNULL)
        if options["stdin"] is None:
            del options["stdin"]
        return subprocess.run(command, check=False, capture_output=True, timeout=120, env=environment, **options)

    return run
