"""Whether a pool keeps up, and what it steps down to if it does not: the rules of ``unmuffle.enhancer.overload``.

To these rules a pool is one stream, whose blocks are the ticks: a tick that has moved half of the streams on by a frame
lasts half a frame. So the load does not depend on how often the pool is called.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from unmuffle.enhancer.overload import LoadReport, Overload, Step
from unmuffle.serve.pool_rungs import PoolRungs
from unmuffle.signal.grid import HOP_S

LIVE_S = 0.5
"""A stream that has had no frame for so long does not count."""
COUNTED_S = 0.1


@dataclass(frozen=True)
class PoolStep(Step):
    """A rung of a pool as a step.

    Attributes
    ----------
    name : str
    pool_rungs : PoolRungs, optional
        None where the pool is to keep to its best.
    rung : int
    """

    pool_rungs: PoolRungs | None = None
    rung: int = 0

    def take(self, warm_s: float | None = None) -> None:
        """Change to it."""
        if self.pool_rungs is not None:
            self.pool_rungs.choose(self.rung, warm_s)

    @property
    def taken(self) -> bool:
        """Whether the change is complete."""
        return self.pool_rungs is None or self.pool_rungs.settled


class PoolLoad:
    """Listens to how long ticks take and chooses the rung.

    Parameters
    ----------
    steps : sequence of PoolStep
    clock : callable
        Tells the time in seconds.
    """

    def __init__(self, steps: Sequence[PoolStep], clock: Callable[[], float]) -> None:
        self._overload = Overload(steps, clock)
        self._live = 1
        self._counted_s = float("-inf")

    @property
    def report(self) -> LoadReport:
        """How the pool keeps up."""
        return self._overload.report

    def tell(self, frames: int, taken_s: float, now_s: float, count_since: Callable[[float], int]) -> None:
        """Take in what a tick has done; ``count_since`` tells how many streams had a frame since a time."""
        if now_s - self._counted_s >= COUNTED_S:
            self._counted_s = now_s
            self._live = max(1, count_since(now_s - LIVE_S))
        self._overload.tell(frames * HOP_S / self._live, taken_s)
