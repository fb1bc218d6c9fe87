"""How a run is getting on: mean losses since the last look, speed as a multiple of real time, time left."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from typing import Any

STEPS_OF_SPEED = 50


class Progress:
    """Gathers the values of steps.

    Parameters
    ----------
    steps : int
        Steps of the whole run.
    seconds : float
        Seconds of audio in a step.
    """

    def __init__(self, steps: int, seconds: float) -> None:
        self._steps, self._seconds = steps, seconds
        self._sums: dict[str, float] = defaultdict(float)
        self._count = 0
        self._since = time.monotonic()
        self._times = deque([self._since], maxlen=STEPS_OF_SPEED + 1)

    def add(self, values: dict[str, float]) -> None:
        """Take the values of one step."""
        for key, value in values.items():
            self._sums[key] += value
        self._count += 1
        self._times.append(time.monotonic())

    @property
    def real_time(self) -> float:
        """Seconds of audio trained on in a second, over the last steps."""
        return (len(self._times) - 1) * self._seconds / max(self._times[-1] - self._times[0], 1e-6)

    def summary(self, step: int) -> dict[str, Any]:
        """Return the means since the last summary, ``real_time`` and ``hours_left``."""
        taken_s = max(time.monotonic() - self._since, 1e-6)
        means = {key: round(total / self._count, 6) for key, total in self._sums.items() if key != "rate"}
        self._sums.clear()
        count, self._count, self._since = self._count, 0, time.monotonic()
        return {
            "step": step,
            **means,
            "real_time": round(count * self._seconds / taken_s, 1),
            "hours_left": round((self._steps - step) * taken_s / count / 3600, 2),
        }
