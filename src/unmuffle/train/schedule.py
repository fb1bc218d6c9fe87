"""Learning rates: warm-up, then a cosine over all steps or over the last ones, or halving on a plateau.

A constant rate with a late fall ends where a cosine ends, and does not need the length of the run at its start
(A. Hägele et al., "Scaling laws and compute-optimal training beyond fixed training durations", 2024).
"""

from __future__ import annotations

from math import cos, pi

from unmuffle.train.config import TrainConfig, cool_down_from


def learning_rate(config: TrainConfig, step: int, halvings: int) -> float:
    """Learning rate of a step, counted from 0; ``halvings`` counts on a plateau schedule only."""
    settings = config.optimiser
    warm = min(1.0, (step + 1) / max(1, settings.warm_up_steps))
    if settings.schedule == "plateau":
        return settings.learning_rate * warm * 0.5**halvings
    begin = cool_down_from(config)
    progress = min(1.0, max(0.0, (step - begin) / max(1, config.steps - begin)))
    span = settings.learning_rate - settings.final_learning_rate
    return warm * (settings.final_learning_rate + 0.5 * span * (1 + cos(pi * progress)))


class Plateau:
    """Counts how often validation has stopped improving for ``patience`` times in a row."""

    def __init__(self, patience: int) -> None:
        self.patience, self.best, self.waited, self.halvings = patience, float("-inf"), 0, 0

    def see(self, quality: float) -> None:
        """Take the quality of a validation; more is better."""
        self.waited = 0 if quality > self.best else self.waited + 1
        self.best = max(self.best, quality)
        if self.waited >= self.patience:
            self.halvings, self.waited = self.halvings + 1, 0

    def state(self) -> dict[str, float]:
        """Return what ``restore`` takes."""
        return {"best": self.best, "waited": self.waited, "halvings": self.halvings}

    def restore(self, state: dict[str, float]) -> None:
        """Go on from a state."""
        self.best, self.waited, self.halvings = state["best"], int(state["waited"]), int(state["halvings"])
