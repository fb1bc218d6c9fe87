"""Work for worker processes: at the top of a module, so that a process that was just started finds it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable


def square(task: int, report: Callable[[object], None]) -> int:
    report(f"about to square {task}")
    return task * task


def square_or_die(task: int, report: Callable[[object], None]) -> int:
    """As :func:`square`, but negative numbers kill the process as the system does when memory runs out."""
    report("begun")
    if task < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return task * task


def quick_or_slow(task: float, report: Callable[[object], None]) -> float:
    time.sleep(task)
    return task


def process_id(task: int, report: Callable[[object], None]) -> int:
    return os.getpid()
