"""Runs over corpora: hours of audio in a core-hour, and how that grows with cores."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import soundfile

from bench.evaluation import resident_mb, write_sources
from bench.tables import table

CLIPS, SECONDS, RATE_HZ = 800, 6.0, 16_000
SHELL_CLIPS, PEER_CLIPS = 24, 200
MACHINE_CORES, DOLLARS_A_CORE_HOUR = 64, 0.04


def measure() -> dict[str, Any]:
    """Return seconds and memory of runs on one core and on more, and of peers."""
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _make_corpus(root)
        runs = [
            {"workers": workers, "measured": measured, **_run(root, workers, measured=measured)}
            for measured, workers in product((False, True), sorted({1, 2, cores}))
        ]
        peers = {
            "shell loop of unmuffle enhance": _shell_loop(root),
            "noisereduce in a process pool": _pool(root, cores),
        }
    return {
        "clips": CLIPS,
        "seconds": SECONDS,
        "rate_hz": RATE_HZ,
        "cores": cores,
        "runs": runs,
        "peers": peers,
    }


def _make_corpus(root: Path) -> None:
    from unmuffle.measure import MixPlan, write_mixes

    write_sources(root)
    plan = MixPlan(root / "speech", root / "noise", count=CLIPS, seconds=SECONDS, sample_rate=RATE_HZ)
    write_mixes(plan, root / "set", jobs=os.cpu_count() or 1)
    (root / "set" / "noisy").rename(root / "noisy")


def _run(root: Path, workers: int, *, measured: bool) -> dict[str, float]:
    """Return the seconds from the first clip that is done to the last, and the largest worker early and late."""
    from unmuffle.corpus import QUICK_MEASURES, RunOptions, run

    times: list[float] = []
    memory: dict[float, float] = {}

    def told(*_: object) -> None:
        times.append(time.perf_counter())
        for point in (0.2, 0.95):
            if len(times) >= point * CLIPS and point not in memory:
                children = multiprocessing.active_children()
                memory[point] = max((resident_mb(child.pid) for child in children if child.pid), default=0.0)

    with tempfile.TemporaryDirectory(dir=root) as out, _on_cores(workers):
        measures = QUICK_MEASURES if measured else ()
        started = time.perf_counter()
        run(root / "noisy", out, measures=measures, options=RunOptions(workers), told=told)
        whole = time.perf_counter() - started
    # Workers load the package while the first clips wait; a corpus is longer than this.
    warm = 2 * workers
    pace = (times[-1] - times[warm]) / (len(times) - 1 - warm)
    return {"s_a_clip": pace, "whole_s": whole, "early_mb": memory[0.2], "late_mb": memory[0.95]}


@contextmanager
def _on_cores(count: int) -> Iterator[None]:
    """Keep this process and those it starts to so many cores: the parent's work is part of a run's."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def _shell_loop(root: Path) -> dict[str, float]:
    files = sorted((root / "noisy").iterdir())[:SHELL_CLIPS]
    started = time.perf_counter()
    for file in files:
        command = [sys.executable, "-m", "unmuffle", "enhance", str(file), "-o", str(root / "one.wav"), "--overwrite"]
        subprocess.run(command, check=True, capture_output=True)
    return {"s_a_clip": (time.perf_counter() - started) / len(files), "cores": 1}


def _pool(root: Path, cores: int) -> dict[str, float]:
    files = sorted((root / "noisy").iterdir())[:PEER_CLIPS]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(cores, mp_context=context) as pool:
        list(pool.map(_noisereduce, files[: 4 * cores]))
        started = time.perf_counter()
        list(pool.map(_noisereduce, files))
        return {"s_a_clip": (time.perf_counter() - started) / len(files), "cores": cores}


def _noisereduce(file: Path) -> None:
    import noisereduce

    audio, rate = soundfile.read(file)
    soundfile.write(file.with_suffix(".peer"), noisereduce.reduce_noise(audio, rate), rate, format="WAV")


def section(figures: dict[str, Any]) -> str:
    """Return the section of the page."""
    seconds, cores = figures["seconds"], figures["cores"]
    alone = {run["measured"]: run["s_a_clip"] for run in figures["runs"] if run["workers"] == 1}
    rows = []
    for run in figures["runs"]:
        share = alone[run["measured"]] / (run["workers"] * run["s_a_clip"])
        name = "unmuffle corpus run" + ("" if run["measured"] else " --measure none")
        memory = f"{run['early_mb']:.0f} to {run['late_mb']:.0f}"
        pace = _pace(seconds, run["s_a_clip"], run["workers"])
        rows.append((name, str(run["workers"]), pace, f"{100 * share:.0f} %", memory))
    for name, peer in figures["peers"].items():
        rows.append((name, str(peer["cores"]), _pace(seconds, peer["s_a_clip"], peer["cores"]), "", ""))
    head = ("run", "cores", "hours of audio a core-hour", "of cores x one core", "MB of a worker, early to late")
    whole = next(run for run in figures["runs"] if run["measured"] and run["workers"] == cores)
    core_hours = 1e6 * whole["workers"] * whole["s_a_clip"] / seconds
    machine_days = core_hours / (24 * MACHINE_CORES)
    terabytes = 1e6 * 3600 * figures["rate_hz"] * 2 / 1e12
    return f"""{figures["clips"]} clips of {seconds:.0f} s at {figures["rate_hz"] // 1000} kHz on a disk of one machine,
by unmuffle's own network; a core is a hardware thread of the machine named below, and a run has no more of them than it
has workers, for its parent process, too. Measures: the quick ones, which are
the default.

{table(head, rows)}

A million hours in clips of {seconds:.0f} s, with measures, would take {core_hours:,.0f} core-hours at this pace:
{machine_days:,.0f} days of a machine of {MACHINE_CORES} such cores, or a day of {machine_days:,.0f} of them, if they
do not slow each other and the storage keeps up ({terabytes:.0f} TB in and as much out, as 16-bit PCM).
At {DOLLARS_A_CORE_HOUR} dollars a core-hour, an assumption, that is {DOLLARS_A_CORE_HOUR * core_hours:,.0f} dollars."""


def _pace(seconds: float, s_a_clip: float, cores: int) -> str:
    return f"{seconds / (s_a_clip * cores):.0f}"
