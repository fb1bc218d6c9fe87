"""Synthetic speech from eSpeak NG, one sentence at a time."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

SILENCE = 1e-3
FADE_S = 0.003
LOWEST_HZ = 60.0


def require_espeak() -> None:
    """Leave with a one-line hint and status 1 if eSpeak NG is not installed."""
    if shutil.which("espeak-ng") is None:
        raise SystemExit("espeak-ng is missing; install it with: apt-get install espeak-ng")


def speak(text: str, voice: str, sample_rate: int, words_per_minute: int = 165) -> NDArray[np.float32]:
    """Speak one sentence: mono, full scale 1, without the silence that eSpeak NG puts before and after it.

    eSpeak NG speaks at 22.05 kHz; the resampled voice holds nothing above 11 kHz.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "speech.wav")
        command = ["espeak-ng", "-v", voice, "-s", str(words_per_minute), "-w", str(path), "--", text]
        subprocess.run(command, check=True)
        samples, own_rate = soundfile.read(path, dtype="float32")
    heard = np.flatnonzero(np.abs(samples) > SILENCE)
    samples = samples[heard[0] : heard[-1] + 1]
    # Cutting off the silence must not leave a click.
    fade = np.linspace(0, 1, round(FADE_S * own_rate), dtype=np.float32)
    samples[: fade.size] *= fade
    samples[-fade.size :] *= fade[::-1]
    # eSpeak NG's glottal pulses carry a drifting offset that no microphone would pass on.
    samples = sosfilt(butter(4, LOWEST_HZ, "highpass", fs=own_rate, output="sos"), samples).astype(np.float32)
    return soxr.resample(samples, own_rate, sample_rate)
