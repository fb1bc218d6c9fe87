"""What could not be measured, by reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from unmuffle.measure.catalogue import measure_of
from unmuffle.measure.results import Results

WHOLE_CLIP = "everything"
_MOST_NAMED = 5


@dataclass
class Failure:
    """A reason, and what it kept from being measured: names of measures, enhancers and clips, each once."""

    reason: str
    measures: dict[str, None] = field(default_factory=dict)
    enhancers: dict[str, None] = field(default_factory=dict)
    clips: dict[str, None] = field(default_factory=dict)

    @property
    def named_clips(self) -> str:
        """The first few clips."""
        more = len(self.clips) - _MOST_NAMED
        return ", ".join([*self.clips][:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def failures(results: Results) -> list[Failure]:
    """Return the reasons, those that spoilt whole clips first."""
    found: dict[tuple[str, bool], Failure] = {}
    for row in results:
        told: Mapping[str, str] = row.failures or ({"clip": "nothing was measured"} if row.failed else {})
        for key, reason in told.items():
            failure = found.setdefault((reason, key == "clip"), Failure(reason))
            failure.measures[WHOLE_CLIP if key == "clip" else measure_of(key).name] = None
            failure.enhancers[row.enhancer] = None
            failure.clips[row.clip] = None
    return sorted(found.values(), key=lambda failure: WHOLE_CLIP not in failure.measures)
