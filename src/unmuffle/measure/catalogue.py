"""All measures there are, by key: names, units and directions for whoever shows or judges values."""

from __future__ import annotations

from unmuffle.measure.damage.scores import DAMAGE_MEASURES
from unmuffle.measure.damage.transparency import TRANSPARENCY_MEASURES
from unmuffle.measure.reference.scorecard import REFERENCE_MEASURES
from unmuffle.measure.scores import Measure
from unmuffle.measure.single.blind_scores import BLIND_MEASURES

COST_MEASURES = (
    Measure("real_time_factor", "real-time factor", more_is_better=False, decimals=4),
    Measure("latency_ms", "latency", "ms", more_is_better=False, decimals=1),
    Measure("delay_ms", "compensated delay", "ms", more_is_better=None, decimals=1),
)
"""What an enhancer costs; a real-time factor of 0.01 is a hundred times as fast as the audio."""


MEASURES: dict[str, Measure] = {
    measure.key: measure
    for measure in (
        *REFERENCE_MEASURES,
        *BLIND_MEASURES,
        *DAMAGE_MEASURES,
        *TRANSPARENCY_MEASURES,
        *COST_MEASURES,
    )
}


def measure_of(key: str) -> Measure:
    """Return the measure of a key; one that is not known is named by its key, and neither better nor worse by more."""
    return MEASURES.get(key) or Measure(key, key, more_is_better=None)
