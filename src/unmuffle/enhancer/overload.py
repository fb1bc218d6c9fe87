"""Whether a live stream keeps up: one that does not steps down to what takes less time, and up again later.

The measure is the time that each block takes over the time that it lasts. A load that stays too high leads one step
down, with both steps running until the lower one is warm. A stream that is already late has no time for that: it goes
to the bypass at once, which takes none, and from there to the lower step. The way up is one step after a quiet time,
which doubles whenever a step up had to be taken back soon.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Literal, TypeAlias

from unmuffle.errors import InvalidParameterError
from unmuffle.process import Ladder

OnOverload: TypeAlias = Literal["keep", "step_down"]

AVERAGED_S = 0.25
FEWEST_BLOCKS = 3
HIGH_LOAD, LOW_LOAD = 0.9, 0.5
"""Smoothed loads beyond which a stream steps down, and below which it is quiet."""
LATE_S = 0.06
"""What a stream may be behind: more than the buffers of a call usually hold."""
HURRIED_WARM_S = 0.1
"""On the way down; a voice is then no more than 1 dB too quiet, and noise no longer louder than without any."""
QUIET_S, LONGEST_QUIET_S = 3.0, 120.0
TRIAL_S = 30.0
"""A step up that is taken back within this time has failed."""


def check_on_overload(on_overload: str) -> None:
    """Raise ``InvalidParameterError`` if this is no answer to overload."""
    if on_overload not in ("keep", "step_down"):
        raise InvalidParameterError(f"on_overload must be 'keep' or 'step_down', not {on_overload!r}")


@dataclass(frozen=True)
class LoadReport:
    """How a live stream keeps up.

    Attributes
    ----------
    load : float
        Time that blocks take over the time that they last, mean of the last quarter of a second or so; 1 is the most
        that a machine can do.
    rung : str
        What is at work: a model or a method, a preset or chain, or ``bypass``.
    steps_down, steps_up : int
        How often the stream has changed to something lighter, and back to something better.
    blocks, late_blocks : int
        How many there were, and how many of them were answered after the next one was due.
    longest_delay_ms : float
        By how much a block was late at most.
    seconds : mapping of str to float
        Seconds of audio given to each of the rungs, from the best to the bypass.
    """

    load: float
    rung: str
    steps_down: int
    steps_up: int
    blocks: int
    late_blocks: int
    longest_delay_ms: float
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class Step:
    """What a stream may be doing.

    Attributes
    ----------
    name : str
    rungs : sequence of (Ladder, int)
        What is to be chosen for it, in this order.
    """

    name: str
    rungs: Sequence[tuple[Ladder, int]] = ()

    def take(self, warm_s: float | None = None) -> None:
        """Change to this step, with so much time for it to listen before it is heard."""
        for ladder, rung in self.rungs:
            ladder.choose(rung, warm_s)

    @property
    def taken(self) -> bool:
        """Whether the change is complete."""
        return all(ladder.settled for ladder, _ in self.rungs)


class Overload:
    """Listens to how long the blocks of a stream take and chooses its step.

    Parameters
    ----------
    steps : sequence of Step
        At least one, from the best to the bypass; the first has been taken. With one alone there is only a report.
    clock : callable, default time.perf_counter
        Tells the time in seconds.
    """

    def __init__(self, steps: Sequence[Step], clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock = clock
        self._steps = tuple(steps)
        self._place = 0
        self._after_bypass: int | None = None
        self._upwards = self._answered = self._from_bypass = False
        self._seconds = dict.fromkeys((step.name for step in steps), 0.0)
        self._steps_down = self._steps_up = self._blocks = self._late_blocks = 0
        self._carried_s = self._behind_s = self._longest_s = self._load = 0.0
        self._wait_s, self._on_trial, self._held_s, self._quiet_s = QUIET_S, False, 0.0, 0.0
        self._begin_average()

    @property
    def report(self) -> LoadReport:
        """How the stream keeps up."""
        return LoadReport(
            load=self._load,
            rung=self._steps[self._place].name,
            steps_down=self._steps_down,
            steps_up=self._steps_up,
            blocks=self._blocks,
            late_blocks=self._late_blocks,
            longest_delay_ms=1e3 * self._longest_s,
            seconds=dict(self._seconds),
        )

    def tell(self, lasts_s: float, taken_s: float) -> None:
        """Take in how long a block lasts and how long it has taken, and step if need be."""
        self._carried_s += taken_s
        if lasts_s <= 0.0:
            return
        taken_s, self._carried_s = self._carried_s, 0.0
        self._count(lasts_s, taken_s)
        self._average(lasts_s, taken_s)
        if len(self._steps) > 1:
            self._decide(lasts_s)

    def _count(self, lasts_s: float, taken_s: float) -> None:
        """A block can be begun when it has come in and those before it are done."""
        self._behind_s = max(0.0, self._behind_s + taken_s - lasts_s)
        self._longest_s = max(self._longest_s, self._behind_s)
        self._blocks += 1
        self._late_blocks += self._behind_s > 0.0
        self._seconds[self._steps[self._place].name] += lasts_s

    def _begin_average(self) -> None:
        self._summed_load = self._summed_weight = self._averaged_s = 0.0
        self._averaged_blocks = 0

    def _average(self, lasts_s: float, taken_s: float) -> None:
        kept = exp(-lasts_s / AVERAGED_S)
        self._summed_load = kept * self._summed_load + (1.0 - kept) * taken_s / lasts_s
        self._summed_weight = kept * self._summed_weight + 1.0 - kept
        self._averaged_s += lasts_s
        self._averaged_blocks += 1
        self._load = self._summed_load / self._summed_weight

    def _decide(self, lasts_s: float) -> None:
        bypass = len(self._steps) - 1
        if self._behind_s == 0.0:
            self._answered = False
        if self._after_bypass is not None:
            self._leave_bypass()
        elif self._behind_s > LATE_S and not self._answered and self._place < bypass:
            self._hurry_down()
        elif not self._steps[self._place].taken:
            # What is fading out takes time as well, and tells nothing of the step.
            self._begin_average()
        elif self._averaged_s >= AVERAGED_S and self._averaged_blocks >= FEWEST_BLOCKS:
            if self._load > HIGH_LOAD and self._place < bypass:
                self._count_step_down()
                self._take(self._place + 1)
            else:
                self._hold(lasts_s)

    def _hold(self, lasts_s: float) -> None:
        """Let time pass, and step up when it was quiet for long enough."""
        self._held_s += lasts_s
        if self._held_s >= TRIAL_S and (self._on_trial or self._place == 0):
            self._wait_s = max(QUIET_S, 0.5 * self._wait_s)
            self._on_trial, self._held_s = False, 0.0
        self._quiet_s = self._quiet_s + lasts_s if self._load < LOW_LOAD else 0.0
        if self._place > 0 and self._quiet_s >= self._wait_s:
            self._steps_up += 1
            self._on_trial = True
            self._take(self._place - 1, upwards=True)

    def _hurry_down(self) -> None:
        """Answer once to being late, until that is made up for."""
        self._answered = True
        under_way = not self._steps[self._place].taken
        if under_way and self._upwards:
            # The lower step is still at work.
            self._count_step_down()
            self._take(self._place + 1)
            return
        lower = self._place
        # Out of the bypass, which takes no time, it is the step itself that is late.
        if not under_way or self._from_bypass:
            self._count_step_down()
            lower += 1
        bypass = len(self._steps) - 1
        self._after_bypass = lower if lower < bypass else None
        self._take(bypass)

    def _leave_bypass(self) -> None:
        """Go on to the step below the one that was late, when that one has ended and nothing is late any more."""
        self._begin_average()
        if self._after_bypass is not None and self._steps[self._place].taken and self._behind_s == 0.0:
            place, self._after_bypass = self._after_bypass, None
            self._take(place)
            self._from_bypass = True

    def _count_step_down(self) -> None:
        self._steps_down += 1
        if self._on_trial:
            self._wait_s = min(LONGEST_QUIET_S, 2.0 * self._wait_s)
            self._on_trial = False

    def _take(self, place: int, *, upwards: bool = False) -> None:
        self._place, self._upwards, self._from_bypass = place, upwards, False
        self._steps[place].take(None if upwards else HURRIED_WARM_S)
        self._held_s = self._quiet_s = 0.0
        self._begin_average()
