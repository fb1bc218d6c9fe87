"""Worker processes that keep to a core each: numerical libraries would start a thread for every core in all of them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
"""What the environment of such a process holds."""


@contextlib.contextmanager
def one_thread_each() -> Iterator[None]:
    """Have processes that are started in the block use one thread; their libraries read this as they load."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
