"""Peers of repair and level as they ship: filters of ffmpeg, and nara_wpe; and what they and ours take of the CPU."""

from __future__ import annotations

import importlib.util
import json
import re
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from bench.repair_signals import Floats

ROUNDS = 2
_MOST_SHIFT = 8192

Treat = Callable[[Floats, int], Floats]
"""Takes audio [samples] and its rate and returns it treated, as long and in step."""


def timed(treat: Treat, audio: Floats, rate: int) -> tuple[Floats, float]:
    """Return treated audio and the CPU seconds for a second of it, children included, the best of some rounds."""
    best = np.inf
    for _ in range(ROUNDS):
        started = _cpu_s()
        treated = treat(audio, rate)
        best = min(best, _cpu_s() - started)
    return treated, best / (len(audio) / rate)


def _cpu_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def ffmpeg_has(name: str) -> bool:
    """Return whether there is an ffmpeg with this filter."""
    if shutil.which("ffmpeg") is None:
        return False
    listed = subprocess.run(["ffmpeg", "-hide_banner", "-filters"], capture_output=True, text=True, check=False).stdout
    return re.search(rf"\b{name}\b", listed) is not None


def ffmpeg(filters: str) -> Treat:
    """Return a treatment by a chain of filters, on one thread."""

    def treat(audio: Floats, rate: int) -> Floats:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "in.wav", Path(folder) / "out.wav"
            soundfile.write(source, audio, rate, subtype="FLOAT")
            _ffmpeg(source, filters, "-ar", str(rate), "-c:a", "pcm_f32le", str(target))
            return _in_step(soundfile.read(target, dtype="float64")[0], audio)

    return treat


def loudnorm(target_lufs: float, ceiling_dbtp: float, passes: int) -> Treat:
    """Return a treatment by loudnorm in one pass or in two."""
    goal = f"loudnorm=I={target_lufs:g}:TP={ceiling_dbtp:g}:LRA=11"

    def treat(audio: Floats, rate: int) -> Floats:
        if passes == 1:
            return ffmpeg(goal)(audio, rate)
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "in.wav"
            soundfile.write(source, audio, rate, subtype="FLOAT")
            said = _ffmpeg(source, goal + ":print_format=json", "-f", "null", "-")
        found = json.loads(said[said.rindex("{") : said.rindex("}") + 1])
        keys = {"i": "I", "tp": "TP", "lra": "LRA", "thresh": "thresh"}
        known = ":".join(f"measured_{name}={found[f'input_{key}']}" for key, name in keys.items())
        return ffmpeg(f"{goal}:{known}:offset={found['target_offset']}:linear=true")(audio, rate)

    return treat


def _ffmpeg(source: Path, filters: str, *rest: str) -> str:
    command = ["ffmpeg", "-hide_banner", "-y", "-threads", "1", "-filter_threads", "1", "-i", str(source)]
    done = subprocess.run([*command, "-af", filters, *rest], capture_output=True, text=True, check=True)
    return done.stderr


def _in_step(treated: Floats, audio: Floats) -> Floats:
    """Take off what a filter is late by, which it does not tell."""
    from scipy import fft

    size = fft.next_fast_len(len(audio) + len(treated) + _MOST_SHIFT, real=True)
    match = fft.irfft(fft.rfft(treated, size) * fft.rfft(audio, size).conj(), size)[:_MOST_SHIFT]
    late = int(np.argmax(match))
    found = treated[late : late + len(audio)]
    return np.pad(found, (0, len(audio) - len(found)))


def versions() -> list[str]:
    """Return which peers there are."""
    found = []
    if shutil.which("ffmpeg") is not None:
        said = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True, check=False).stdout
        found.append(f"ffmpeg {said.split()[2].split('-')[0]}")
    if has_nara_wpe():
        found.append(f"nara_wpe {metadata.version('nara_wpe')}")
    return found or ["none installed"]


def has_nara_wpe() -> bool:
    """Return whether nara_wpe is installed."""
    return importlib.util.find_spec("nara_wpe") is not None


def nara_offline(audio: Floats, rate: int) -> Floats:  # noqa: ARG001
    """Treat by ``wpe``, with the frames and taps of its own example."""
    from nara_wpe.utils import istft, stft
    from nara_wpe.wpe import wpe

    spectra = stft(audio[None], size=512, shift=128).transpose(2, 0, 1)
    cleared = wpe(spectra, taps=10, delay=3, iterations=5).transpose(1, 2, 0)
    return istft(cleared, size=512, shift=128)[0, : len(audio)]


def nara_online(audio: Floats, rate: int) -> Floats:  # noqa: ARG001
    """Treat by ``OnlineWPE``, with the frames and taps of its own example."""
    from nara_wpe.utils import istft, stft
    from nara_wpe.wpe import OnlineWPE

    spectra = stft(audio[None], size=512, shift=128).transpose(1, 2, 0)
    online: Any = OnlineWPE(taps=10, delay=3, alpha=0.9999, channel=1, frequency_bins=spectra.shape[1])
    cleared = np.stack([online.step_frame(frame) for frame in spectra])
    return istft(cleared.transpose(2, 0, 1), size=512, shift=128)[0, : len(audio)]
