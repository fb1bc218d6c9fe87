"""Several processes training one network: each takes a share of the batch, gradients are averaged.

On a CPU one single-threaded process a core is faster than one process with a thread a core, since most of a step is
many small operations. Rank 0 is the process that was started; it starts the others.
"""

from __future__ import annotations

import datetime
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed

PATIENCE = datetime.timedelta(minutes=30)
"""How long the others wait while one is validating or writing."""


class Crew:
    """The processes of a run, seen from one of them."""

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def share(self, items: int) -> range:
        """Return which of so many items are this process's: runs of equal length, the first ones longer by one."""
        each, more = divmod(items, self.size)
        start = self.rank * each + min(self.rank, more)
        return range(start, start + each + (self.rank < more))

    def sum(self, values: Tensor) -> Tensor:
        """Sum a tensor over all processes, in place."""
        if self.size > 1:
            distributed.all_reduce(values)
        return values

    def mean_in_place(self, tensors: list[Tensor]) -> None:
        """Replace every tensor by its mean over all processes, with one exchange."""
        if self.size == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        self.sum(flat).div_(self.size)
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view_as(tensor))


def run_crew(work: Callable[..., None], size: int, folder: Path, *arguments: Any) -> None:
    """Call ``work(crew, *arguments)`` in ``size`` processes, this one among them, and return when all have ended."""
    if size == 1:
        work(Crew(), *arguments)
        return
    meeting = folder / f".meeting-{os.getpid()}"
    context = multiprocessing.get_context("spawn")
    others = [
        context.Process(target=_member, args=(work, rank, size, meeting, arguments), daemon=True)
        for rank in range(1, size)
    ]
    for other in others:
        other.start()
    try:
        _join(0, size, meeting)
        work(Crew(0, size), *arguments)
        for other in others:
            other.join()
    finally:
        # They are still there if this process failed or was stopped before it heeded signals.
        for other in others:
            other.kill()
        if distributed.is_initialized():
            distributed.destroy_process_group()
        meeting.unlink(missing_ok=True)


def _member(work: Callable[..., None], rank: int, size: int, meeting: Path, arguments: tuple[Any, ...]) -> None:
    # Whoever stops the run tells rank 0, which tells the others between two steps.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    _join(rank, size, meeting)
    work(Crew(rank, size), *arguments)
    distributed.destroy_process_group()


def _end_with_parent() -> None:
    """End this process when rank 0 has died without a word, rather than wait for it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _join(rank: int, size: int, meeting: Path) -> None:
    distributed.init_process_group(
        "gloo", init_method=f"file://{meeting.resolve()}", rank=rank, world_size=size, timeout=PATIENCE
    )
