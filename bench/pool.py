"""How many streams a core carries: the pool, beside as many streams of their own in a loop, and a long run for leaks.

Streams send 20 ms blocks, each at its own time; the pool is ticked every 5 ms. The time of the processor that writing,
ticking and reading take, over the time that the audio lasts, is the load; a core carries as many streams as bring it to
1. One thread, each setting in a process of its own, the best of several runs, in turns, so that a busy moment hits all
alike. How long ticks are is told in real time.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from bench.one_thread import call
from unmuffle.presets import list_presets
from unmuffle.signal import resample

BLOCK_S, STEP_S = 0.02, 0.005
ROUNDS, SECONDS, WARM_S = 3, 2.5, 1.5
RATES_HZ = (8_000, 16_000, 22_050, 44_100, 48_000)
STREAMS, BATCHES = 250, (1, 4, 16, 64, 250, 500)
LONE_STREAMS = 64
SOAK_STREAMS, SOAK_SECONDS = 175, 60.0
SETTINGS: dict[str, dict[str, Any]] = {
    "alone": {},
    "silent": {"silent": True},
    "strength auto": {"strength": "auto"},
    "silent, preset meeting": {"silent": True, "preset": "meeting"},
}
SPEECH = Path(__file__).parent.parent / "examples" / "noisy.flac"
PRESET_RATES_HZ = (16_000, 48_000)
PRESET_STREAMS, LONE_PRESET_STREAMS = {"meeting": 128, "hearing": 128}, 16
"""Calls have many streams; of the others so many as fit on a core or two are enough."""
FEW_STREAMS = 32


def measure(soak_s: float = SOAK_SECONDS) -> dict[str, Any]:
    """Return the figures by rate, by number of streams, of other settings, and of a long run."""
    runs: dict[str, tuple[str, int, int, dict[str, Any]]] = {}
    for rate in RATES_HZ:
        runs[f"rate {rate}"] = ("pooled", rate, STREAMS, {})
        runs[f"lone {rate}"] = ("lone", rate, LONE_STREAMS, {})
    for streams in BATCHES:
        runs[f"streams {streams}"] = ("pooled", 16_000, streams, {})
    for name, options in SETTINGS.items():
        count = LONE_STREAMS if "strength" in options else STREAMS
        runs[f"pool, {name}"] = ("pooled", 16_000, count, options)
        runs[f"lone, {name}"] = ("lone", 16_000, LONE_STREAMS, options)
    presets = [(preset.name, rate) for preset in list_presets() for rate in PRESET_RATES_HZ]
    for preset, rate in presets:
        options = {"preset": preset, "speech": True}
        runs[f"pool, {preset} {rate}"] = ("pooled", rate, PRESET_STREAMS.get(preset, FEW_STREAMS), options)
        runs[f"lone, {preset} {rate}"] = ("lone", rate, LONE_PRESET_STREAMS, options)
    best: dict[str, dict[str, float]] = {}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            found = call("bench.pool", *run)
            if name not in best or found["load"] < best[name]["load"]:
                best[name] = found
    return {
        "streams": STREAMS,
        "lone_streams": LONE_STREAMS,
        "rounds": ROUNDS,
        "rates": {str(rate): {"pool": best[f"rate {rate}"], "lone": best[f"lone {rate}"]} for rate in RATES_HZ},
        "batches": {str(streams): best[f"streams {streams}"] for streams in BATCHES},
        "settings": {name: {"pool": best[f"pool, {name}"], "lone": best[f"lone, {name}"]} for name in SETTINGS},
        "presets": [
            {"preset": preset, "rate_hz": rate} | {kind: best[f"{kind}, {preset} {rate}"] for kind in ("pool", "lone")}
            for preset, rate in presets
        ],
        "soak": call("bench.pool", "soak", soak_s),
    }


def pooled(rate_hz: int, streams: int, options: dict[str, Any]) -> dict[str, float]:
    """Return the load of a pool, how many such streams would bring it to 1, and how long its ticks are."""
    from unmuffle.serve import StreamPool

    options = dict(options)
    audio = _audio(rate_hz, **{kind: options.pop(kind, False) for kind in ("silent", "speech")})
    pool = StreamPool(capacity=streams, on_overload="keep")
    opened = [pool.open(rate_hz, **options) for _ in range(streams)]
    ticks_s: list[float] = []
    busy_s = 0.0
    for step, due in _timetable(streams):
        blocks = [(opened[place], _block(audio, rate_hz, place, number)) for place, number in due]
        begun_s = time.thread_time()
        for stream, block in blocks:
            stream.write(block)
        ticked_s = time.perf_counter()
        while pool.ready():
            pool.tick()
        ended_s = time.perf_counter()
        for stream, _ in blocks:
            stream.read()
        if step * STEP_S >= WARM_S:
            busy_s += time.thread_time() - begun_s
            ticks_s.append(ended_s - ticked_s)
    sizes = pool.statistics.batch_sizes
    calls = sum(sizes.values())
    return _figures(busy_s, streams) | {
        "tick_p50_ms": 1e3 * float(np.quantile(ticks_s, 0.5)),
        "tick_p99_ms": 1e3 * float(np.quantile(ticks_s, 0.99)),
        "batch": sum(size * count for size, count in sizes.items()) / max(1, calls),
    }


def lone(rate_hz: int, streams: int, options: dict[str, Any]) -> dict[str, float]:
    """Return the same of streams of their own."""
    import unmuffle

    options = dict(options)
    audio = _audio(rate_hz, **{kind: options.pop(kind, False) for kind in ("silent", "speech")})
    opened = [unmuffle.open_stream(rate_hz, **options) for _ in range(streams)]
    busy_s = 0.0
    for step, due in _timetable(streams):
        blocks = [(opened[place], _block(audio, rate_hz, place, number)) for place, number in due]
        begun_s = time.thread_time()
        for stream, block in blocks:
            stream.process(block)
        if step * STEP_S >= WARM_S:
            busy_s += time.thread_time() - begun_s
    return _figures(busy_s, streams)


def soak(seconds: float) -> dict[str, float]:
    """Run a pool in real time, with streams that come and go; return its memory early and late, and what was missed."""
    from unmuffle.serve import StreamPool

    rng = np.random.default_rng(0)
    rates = (16_000, 16_000, 48_000, 8_000)
    audios = {rate: _audio(rate) for rate in rates}
    pool = StreamPool(capacity=SOAK_STREAMS)
    streams = [pool.open(rates[place % len(rates)]) for place in range(SOAK_STREAMS)]
    sent, lost, opened = [0] * SOAK_STREAMS, 0, SOAK_STREAMS
    memory_mb: list[float] = []
    begun_s = time.perf_counter()
    for step in range(round(seconds / STEP_S)):
        time.sleep(max(0.0, begun_s + step * STEP_S - time.perf_counter()))
        for place in range(step % 4, SOAK_STREAMS, 4):
            rate = streams[place].sample_rate
            streams[place].write(_block(audios[rate], rate, place, sent[place]))
            sent[place] += 1
        while pool.ready():
            pool.tick()
        for stream in streams:
            stream.read()
        if step % 20 == 0:
            # Five a second: a stream of this pool lives for half a minute.
            place = int(rng.integers(SOAK_STREAMS))
            lost += _missing(streams[place], sent[place])
            rate = streams[place].sample_rate
            streams[place].close()
            streams[place], sent[place] = pool.open(rate), 0
            opened += 1
        if step % 200 == 0:
            memory_mb.append(_resident_mb())
    lost += sum(map(_missing, streams, sent))
    told = pool.statistics
    fifth = max(1, len(memory_mb) // 5)
    return {
        "seconds": seconds,
        "streams": SOAK_STREAMS,
        "opened": opened,
        "early_mb": float(np.mean(memory_mb[fifth : 2 * fifth] or memory_mb)),
        "late_mb": float(np.mean(memory_mb[-fifth:])),
        "frames": told.frames,
        "lost_samples": lost,
        "deadline_misses": told.deadline_misses,
        "steps_down": told.steps_down,
    }


def _missing(stream: Any, blocks: int) -> int:
    """How many samples of a stream have not come back although they should have."""
    return max(0, blocks * round(BLOCK_S * stream.sample_rate) - stream.latency - stream.position)


def _resident_mb() -> float:
    """Return the memory of this process that is resident now, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


def _audio(rate_hz: int, *, silent: bool = False, speech: bool = False) -> np.ndarray:
    """Return four seconds of modulated noise, float32 [samples], or of silence, or the recording of ``examples/``."""
    if speech:
        recording, given_hz = soundfile.read(SPEECH, dtype="float32", always_2d=True)
        return resample(recording[:, 0], given_hz, rate_hz)[0]
    seconds = np.arange(4 * rate_hz) / rate_hz
    noise = np.random.default_rng(0).standard_normal(seconds.size)
    level = 0.0 if silent else 0.02 + 0.2 * np.clip(np.sin(2 * np.pi * 3 * seconds), 0, 1)
    return (level * noise).astype(np.float32)


def _block(audio: np.ndarray, rate_hz: int, place: int, number: int) -> np.ndarray:
    """Return the block of a stream with this number; no two streams send the same at the same time."""
    size = round(BLOCK_S * rate_hz)
    start = (997 * place + number * size) % (audio.size - size)
    return audio[start : start + size]


def _timetable(streams: int) -> list[tuple[int, list[tuple[int, int]]]]:
    """Return which streams send which of their blocks in each step."""
    steps = round((WARM_S + SECONDS) / STEP_S)
    of_block = round(BLOCK_S / STEP_S)
    return [
        (step, [(place, step // of_block) for place in range(streams) if place % of_block == step % of_block])
        for step in range(steps)
    ]


def _figures(busy_s: float, streams: int) -> dict[str, float]:
    load = busy_s / SECONDS
    return {"load": load, "streams_a_core": streams / load, "us_a_frame": 1e6 * load * 0.016 / streams}
