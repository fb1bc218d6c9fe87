"""What a network costs: frame by frame, many channels in a call, a whole file, and a command from a cold start.

RNNoise and noisereduce beside it, as they ship. One thread; each in a process of its own; the best of several runs, in
turns, so that a busy moment hits all alike.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from bench.one_thread import call
from bench.speed import RATE_HZ, recording
from unmuffle.jobs.one_thread import ONE_THREAD

ROUNDS, SECONDS, FRAME_S, COLD_SECONDS = 5, 60, 0.016, 10
CHANNELS, CHANNEL_SECONDS = 64, 4
RNNOISE_FRAME = 480
RUNS = {
    "frame by frame": ("network", "rnnoise"),
    "many channels": ("network", "rnnoise"),
    "whole file": ("network", "rnnoise", "noisereduce", "noisereduce-stationary"),
    "cold start": ("network", "rnnoise", "noisereduce"),
}
COLD_PEER = """
import sys, soundfile
from unmuffle.measure.evaluation.enhancers.registry import find_enhancer
audio, rate = soundfile.read(sys.argv[2], dtype="float32")
soundfile.write(sys.argv[3], find_enhancer(sys.argv[1]).enhance(audio[None], rate)[0], rate)
"""


def measure(model: str) -> dict[str, Any]:
    """Return the figures of a model, by its name or path, and of the peers."""
    best: dict[str, dict[str, float]] = {way: {} for way in RUNS}
    for _ in range(ROUNDS):
        for way, names in RUNS.items():
            for name in names:
                seconds = call("bench.network", "seconds_for", way, name, model)
                best[way][name] = min(seconds, best[way].get(name, np.inf))
    return {
        "model": Path(model).stem,
        "rate_hz": RATE_HZ,
        "rounds": ROUNDS,
        "channels": CHANNELS,
        "seconds": SECONDS,
        "cold_seconds": COLD_SECONDS,
        "frame_rtf": best["frame by frame"],
        "channel_rtf": best["many channels"],
        "whole_speed": {name: 1.0 / rtf for name, rtf in best["whole file"].items()},
        "cold_s": best["cold start"],
    }


def seconds_for(way: str, name: str, model: str) -> float:
    """Return seconds taken for a second of audio (of a channel), or for the whole command."""
    return {"frame by frame": _frames, "many channels": _many, "whole file": _whole, "cold start": _cold}[way](
        name, model
    )


def _frames(name: str, model: str) -> float:
    return _streamed(name, model, recording()[None, : SECONDS * RATE_HZ])


def _many(name: str, model: str) -> float:
    """Turn one recording so that no two channels are alike."""
    noisy = recording()[: CHANNEL_SECONDS * RATE_HZ]
    return _streamed(name, model, np.stack([np.roll(noisy, 997 * channel) for channel in range(CHANNELS)])) / CHANNELS


def _streamed(name: str, model: str, noisy: np.ndarray) -> float:
    """Time [channels, samples] in blocks; the network has frames of 16 ms, RNNoise of 10 ms and a call a channel."""
    size, run = _network_stream(model, len(noisy)) if name == "network" else _rnnoise_stream(len(noisy))
    blocks = [np.ascontiguousarray(noisy[:, start : start + size]) for start in range(0, noisy.shape[1] - size, size)]
    for block in blocks[:20]:
        run(block)
    started = time.perf_counter()
    for block in blocks:
        run(block)
    return (time.perf_counter() - started) / (len(blocks) * size / RATE_HZ)


def _network_stream(model: str, channels: int) -> tuple[int, Callable[[np.ndarray], Any]]:
    import unmuffle

    size = round(FRAME_S * RATE_HZ)
    stream = unmuffle.open_stream(RATE_HZ, channels, size, model=model, link_channels=False)
    return size, stream.process


def _rnnoise_stream(channels: int) -> tuple[int, Callable[[np.ndarray], Any]]:
    import ctypes

    from pyrnnoise.rnnoise import lib

    states = [lib.rnnoise_create(None) for _ in range(channels)]
    pointer = ctypes.POINTER(ctypes.c_float)

    def run(block: np.ndarray) -> np.ndarray:
        scaled = block * np.float32(32768.0)
        for state, channel in zip(states, scaled, strict=True):
            address = channel.ctypes.data_as(pointer)
            lib.rnnoise_process_frame(state, address, address)
        return scaled / np.float32(32768.0)

    return RNNOISE_FRAME, run


def _whole(name: str, model: str) -> float:
    noisy = recording()
    run = _enhancer(name, model)
    run(noisy[:RATE_HZ])
    started = time.perf_counter()
    run(noisy)
    return (time.perf_counter() - started) / SECONDS


def _enhancer(name: str, model: str) -> Callable[[np.ndarray], Any]:
    if name == "network":
        import unmuffle

        return lambda noisy: unmuffle.enhance(noisy, RATE_HZ, model=model)
    from unmuffle.measure.evaluation.enhancers.registry import find_enhancer

    peer = find_enhancer(name)
    return lambda noisy: peer.enhance(noisy[None], RATE_HZ)


def _cold(name: str, model: str) -> float:
    """Wall time of a process that enhances a file of 10 s; it is run twice, so that all files are in memory."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "noisy.wav", Path(folder) / "clear.wav"
        soundfile.write(source, recording()[: COLD_SECONDS * RATE_HZ], RATE_HZ)
        ours = ["-m", "unmuffle", "enhance", str(source), "-o", str(target), "--model", model, "--overwrite", "-q"]
        command = ours if name == "network" else ["-W", "ignore", "-c", COLD_PEER, name, str(source), str(target)]
        for _ in range(2):
            started = time.perf_counter()
            subprocess.run([sys.executable, *command], check=True, env=os.environ | ONE_THREAD)
            seconds = time.perf_counter() - started
    return seconds
