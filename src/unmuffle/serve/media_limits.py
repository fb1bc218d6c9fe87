"""What a process that reads files of strangers may use: memory, time, bytes written, open files.

The limits are the system's own (setrlimit), so they hold for decoders written in C too. Where the system has none, as
on Windows, only the time on the wall is limited, by the parent.
"""

from __future__ import annotations

import contextlib
import os
from importlib import import_module
from typing import Any

resource: Any = import_module("resource") if os.name == "posix" else None

OPEN_FILES = 256
CPU_S_A_SECOND = 0.5
"""Of audio; the dearest preset takes 0.06 for stereo of 48 kHz."""
NICENESS = 5
"""Files can wait a little; the frames of live streams cannot."""


def limit_this_process(memory_bytes: int) -> None:
    """Limit what holds for the whole life of the process: memory, open files, no core dumps, lower priority.

    Parameters
    ----------
    memory_bytes : int
        Of private memory that is written to, libraries included (RLIMIT_DATA).
    """
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    _set("RLIMIT_CORE", 0)
    _set("RLIMIT_NOFILE", OPEN_FILES)
    _set("RLIMIT_DATA", memory_bytes)


class TaskLimits:
    """The limits on one task: seconds of CPU from now on, and bytes of any file that is written.

    Beyond the first the system ends the process by SIGXCPU; beyond the second writing fails.

    Parameters
    ----------
    cpu_s : float
        What is allowed besides a share of the audio's length.
    file_bytes : int
    """

    def __init__(self, cpu_s: float, file_bytes: int) -> None:
        self._most_s = _cpu_s_used() + cpu_s
        self.allow_for(0.0)
        _set("RLIMIT_FSIZE", file_bytes)

    def allow_for(self, audio_s: float) -> None:
        """Allow for so much audio that was worked on: a long file may take long, one that gives nothing may not."""
        # Whole seconds are all that the system can count.
        _set("RLIMIT_CPU", int(self._most_s + CPU_S_A_SECOND * audio_s) + 1)


def _cpu_s_used() -> float:
    if resource is None:
        return 0.0
    used = resource.getrusage(resource.RUSAGE_SELF)
    return float(used.ru_utime + used.ru_stime)


def _set(name: str, value: int) -> None:
    """Set a soft limit; the hard one stays, so that each task can have limits of its own."""
    kind = getattr(resource, name, None)
    if kind is None:
        return
    _, hard = resource.getrlimit(kind)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
