"""What a reader has to know of a run: its data, what measured it, and on what machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path

from unmuffle._version import __version__
from unmuffle.measure.evaluation.enhancers.contract import ClipEnhancer
from unmuffle.measure.scores import Measure


def describe_run(
    source: str, clips: int, enhancers: Iterable[ClipEnhancer], measures: Sequence[Measure], jobs: int
) -> dict[str, str]:
    """Return the run's data, enhancers, measures with their implementations, machine and date."""
    implementations = sorted({measure.implementation for measure in measures})
    return {
        "data": source,
        "clips": str(clips),
        "enhancers": ", ".join(f"{one.name} ({one.version or 'version not told'})" for one in enhancers),
        "measures": ", ".join(measure.key for measure in measures),
        "measured by": ", ".join(implementations),
        "real-time factor": "CPU time of the call over the length of the clip, libraries loaded; for a command, of "
        "its whole process",
        "machine": f"{processor()}, {os.cpu_count()} cores, {jobs} used, Python {platform.python_version()}",
        "unmuffle": __version__,
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    }


def processor() -> str:
    """Return what the processor is called."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
