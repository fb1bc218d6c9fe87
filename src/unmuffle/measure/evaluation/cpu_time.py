"""CPU time of a call, that of commands which it ran included."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

ResultT = TypeVar("ResultT")


def with_cpu_s(call: Callable[[], ResultT]) -> tuple[ResultT, float]:
    """Return what a call gives, and its CPU time in seconds over all threads."""
    before = _cpu_s()
    result = call()
    return result, _cpu_s() - before


def _cpu_s() -> float:
    try:
        import resource
    except ImportError:
        # Windows does not tell the time of processes that have ended.
        return time.process_time()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
