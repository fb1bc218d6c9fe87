"""Several processes training one network: each takes a share of the batch, gradients are averaged.

On a CPU one single-threaded process a core is faster than one process with a thread a core, since most of a step is
many small operations. Rank 0 is the process that was started; it starts the others, and sums what they send it through
pipes: nothing here needs a network, and whoever dies is noticed at once by the end of its pipe.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unmuffle.errors import UnmuffleError


class CrewLostError(UnmuffleError):
    """Another process of a training has ended in the middle of it."""


class Crew:
    """The processes of a run, seen from one of them.

    Parameters
    ----------
    rank : int, default 0
        Which of them this is.
    size : int, default 1
        How many there are.
    pipes : sequence of Connection
        For rank 0 one to each of the others in their order; for those the one to rank 0.
    """

    def __init__(self, rank: int = 0, size: int = 1, pipes: Sequence[Connection] = ()) -> None:
        self.rank, self.size, self._pipes = rank, size, pipes

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
        """Sum a tensor over all processes, in place, in the order of their ranks."""
        if self.size > 1:
            total = values.detach().cpu().numpy().reshape(-1)
            try:
                self._sum(total)
            except (EOFError, ConnectionError) as error:
                raise CrewLostError(
                    "another process of this training has ended: see its message above, then go on with --resume"
                ) from error
            values.copy_(torch.from_numpy(total).view_as(values))
        return values

    def _sum(self, total: np.ndarray[Any, Any]) -> None:
        if not self.leads:
            self._pipes[0].send_bytes(total.data)
            self._pipes[0].recv_bytes_into(total)
            return
        theirs = np.empty_like(total)
        for pipe in self._pipes:
            pipe.recv_bytes_into(theirs)
            total += theirs
        for pipe in self._pipes:
            pipe.send_bytes(total.data)

    def mean_in_place(self, tensors: list[Tensor]) -> None:
        """Replace every tensor by its mean over all processes, with one exchange."""
        if self.size == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        self.sum(flat).div_(self.size)
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view_as(tensor))


def run_crew(work: Callable[..., None], size: int, *arguments: Any) -> None:
    """Call ``work(crew, *arguments)`` in ``size`` processes, this one among them, and return when all have ended."""
    context = multiprocessing.get_context("spawn")
    pipes, others = [], []
    try:
        for rank in range(1, size):
            pipe, far_end = context.Pipe()
            pipes.append(pipe)
            others.append(context.Process(target=_member, args=(work, rank, size, far_end, arguments), daemon=True))
            others[-1].start()
            # With this copy closed, the death of the other ends the pipe.
            far_end.close()
        work(Crew(0, size, pipes), *arguments)
        for other in others:
            other.join()
    finally:
        # They are still there if this process failed or was stopped before it heeded signals.
        for other in others:
            other.kill()
        for pipe in pipes:
            pipe.close()


def _member(work: Callable[..., None], rank: int, size: int, pipe: Connection, arguments: tuple[Any, ...]) -> None:
    # Whoever stops the run tells rank 0, which tells the others between two steps.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    torch.set_num_threads(1)
    try:
        work(Crew(rank, size, [pipe]), *arguments)
    except CrewLostError:
        # Rank 0 has died without a word, and has nobody to tell.
        os._exit(1)
