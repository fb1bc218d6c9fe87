"""CPU time and memory of an evaluation: many clips of 5 s with PESQ, STOI, SI-SDR and all damage."""

from __future__ import annotations

import multiprocessing
import os
import resource
import tempfile
from pathlib import Path
from typing import Any

import soundfile

EXAMPLES = Path(__file__).parent.parent / "examples"
CLIPS, SECONDS, RATE_HZ = 1000, 5.0, 16_000
METHOD = "log_mmse"
REFERENCE = ("pesq_wideband", "stoi", "si_sdr_db")


def measure() -> dict[str, Any]:
    """Return CPU seconds a clip, and the largest worker's memory in MB early in the run and at its end."""
    from unmuffle.measure import DAMAGE_MEASURES, MixPlan, evaluate, write_mixes

    jobs = os.cpu_count() or 1
    keys = (*REFERENCE, *(item.key for item in DAMAGE_MEASURES))
    memory: dict[float, float] = {}

    def watch(done: int, total: int) -> None:
        share = done / total
        for point in (0.2, 1.0):
            if share >= point and point not in memory:
                memory[point] = max((resident_mb(child.pid) for child in multiprocessing.active_children()), default=0)

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_sources(root)
        write_mixes(
            MixPlan(root / "speech", root / "noise", count=CLIPS, seconds=SECONDS, sample_rate=RATE_HZ),
            root / "set",
            jobs=jobs,
        )
        before = _children_cpu_s()
        results = evaluate(root / "set", [METHOD], measures=keys, jobs=jobs, progress=watch)
        cpu_s = _children_cpu_s() - before
    return {
        "clips": CLIPS,
        "seconds": SECONDS,
        "rate_hz": RATE_HZ,
        "method": METHOD,
        "failed": sum(row.failed for row in results),
        "cpu_s_a_clip": cpu_s / CLIPS,
        "early_mb": memory[0.2],
        "late_mb": memory[1.0],
    }


def write_sources(root: Path) -> None:
    """Take the example's voices for speech, and what was added to them for noise."""
    clean, rate = soundfile.read(EXAMPLES / "clean.flac")
    noisy, _ = soundfile.read(EXAMPLES / "noisy.flac")
    for name, audio in (("speech", clean), ("noise", noisy - clean)):
        (root / name).mkdir()
        soundfile.write(root / name / "example.flac", audio, rate)


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def resident_mb(pid: int | None) -> float:
    """Return the memory a process has resident, in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20
