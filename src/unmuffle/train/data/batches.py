"""The batches of a run in their order, mixed in this process or ahead of time in others.

On a CPU the processes that train mix for themselves: mixing is a tenth of their work. A GPU waits for batches, so that
workers mix the next ones while it computes. Either way the batch of a step is the same.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unmuffle.errors import UnmuffleError
from unmuffle.train.data.decoding import FULL_RATE, WIDE_RATE
from unmuffle.train.data.mixing import Mixer
from unmuffle.train.data.settings import MixSettings

BATCHES, CLASSES = 0, 1
"""First words of the random streams; validation has the next."""
AHEAD = 2
"""Batches that each worker makes before they are asked for."""

Batch = tuple[NDArray[np.float32], NDArray[np.float32], int]


class MixingLostError(UnmuffleError):
    """A process that mixes has ended in the middle of a training."""


@dataclass(frozen=True)
class BatchPlan:
    """What makes a batch, beside its step.

    Attributes
    ----------
    packed : Path
        Packed corpora.
    settings : MixSettings
        Chances and ranges.
    seconds : float
        Length of a clip.
    full_band_share : float
        Share of the steps at 48 kHz.
    seed : int
        Of the run.
    clips : range
        Which of the batch's clips are wanted.
    """

    packed: Path
    settings: MixSettings
    seconds: float
    full_band_share: float
    seed: int
    clips: range

    def rate(self, step: int) -> int:
        """Return the rate of a step's batch in Hz."""
        random = np.random.default_rng([self.seed, CLASSES, step])
        return FULL_RATE if random.random() < self.full_band_share else WIDE_RATE

    def mixers(self) -> dict[int, Mixer]:
        """Return a mixer for every rate."""
        rates = (WIDE_RATE, FULL_RATE) if self.full_band_share else (WIDE_RATE,)
        return {rate: Mixer(self.packed, rate, self.settings, self.seconds) for rate in rates}

    def make(self, mixers: dict[int, Mixer], step: int) -> Batch:
        """Return the noisy and the target clips of a step, float32 [clips, samples] each, and their rate in Hz."""
        rate = self.rate(step)
        noisy, target = mixers[rate].batch((self.seed, BATCHES, step), self.clips)
        return noisy, target, rate


class Batches:
    """Gives the batches of a run.

    Parameters
    ----------
    plan : BatchPlan
        What makes them.
    workers : int, default 0
        Processes that mix ahead; with none, this one mixes when asked.

    Raises
    ------
    AudioFileError
        If the packed corpora lack something.
    """

    def __init__(self, plan: BatchPlan, workers: int = 0) -> None:
        self.plan = plan
        # Also where workers do the work: whatever is wrong with the corpora is told here, before anything starts.
        self._mixers = plan.mixers()
        self._workers = _Workers(plan, workers) if workers else None

    def from_step(self, step: int) -> Iterator[Batch]:
        """Yield the batches from a step on, without end."""
        if self._workers is not None:
            yield from self._workers.from_step(step)
        yield from (self.plan.make(self._mixers, now) for now in count(step))

    def close(self) -> None:
        """End the workers."""
        if self._workers is not None:
            self._workers.close()


class _Workers:
    """Processes that take the steps in turn; each has a pipe of its own, whose end tells it that this one is gone."""

    def __init__(self, plan: BatchPlan, processes: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Connection] = []
        self._processes = []
        for _ in range(processes):
            pipe, far_end = context.Pipe()
            process = context.Process(target=_serve, args=(plan, far_end), daemon=True)
            process.start()
            far_end.close()
            self._pipes.append(pipe)
            self._processes.append(process)

    def from_step(self, step: int) -> Iterator[Batch]:
        asked = step
        while True:
            while asked < step + AHEAD * len(self._pipes):
                self._ask(asked)
                asked += 1
            yield self._receive(step)
            step += 1

    def close(self) -> None:
        for process, pipe in zip(self._processes, self._pipes, strict=True):
            process.kill()
            process.join()
            pipe.close()

    def _pipe(self, step: int) -> Connection:
        return self._pipes[step % len(self._pipes)]

    def _ask(self, step: int) -> None:
        # One that is gone is noticed, and told, when its answer is missed.
        with contextlib.suppress(ConnectionError):
            self._pipe(step).send(step)

    def _receive(self, step: int) -> Batch:
        try:
            found = self._pipe(step).recv()
        except (EOFError, ConnectionError) as error:
            raise MixingLostError("a process that mixes has ended: see its message above") from error
        if isinstance(found, Exception):
            raise found
        batch: Batch = found
        return batch


def _serve(plan: BatchPlan, pipe: Connection) -> None:
    # Whoever stops the run tells the process that trains.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    mixers = plan.mixers()
    while True:
        try:
            step = pipe.recv()
        except (EOFError, ConnectionError):
            return
        try:
            answer: Batch | UnmuffleError = plan.make(mixers, step)
        except UnmuffleError as error:
            answer = error
        with contextlib.suppress(ConnectionError):
            pipe.send(answer)
