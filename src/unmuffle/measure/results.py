"""What a run over clips leaves behind: one result for each clip after each enhancer, and their table.

Everything that judges (`assurance`), shows (`report`) or compares takes this, whoever measured it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

Condition: TypeAlias = "str | float"

UNPROCESSED = "noisy"
"""The enhancer that does nothing: its values are those of the clip as it came."""


@dataclass(frozen=True)
class ClipResult:
    """What was measured of a clip after an enhancer.

    Attributes
    ----------
    clip : str
        Name of the clip, unique within the run.
    enhancer : str
        Who worked on it; ``UNPROCESSED`` for the clip as it came.
    sample_rate : int
        In Hz.
    seconds : float
        Length.
    values : mapping of str to float
        By the key of a ``Measure``; one that could not be taken is left out.
    failures : mapping of str to str
        Why not, by key; under ``"clip"`` why nothing could be measured at all.
    conditions : mapping of str to str or float
        What is known of the clip, such as ``{"snr_db": 5.0, "noise": "fan", "talker": "f3"}``.
    files : mapping of str to str
        Paths by role: ``"noisy"``, ``"enhanced"``, ``"clean"``; those there are.
    """

    clip: str
    enhancer: str
    sample_rate: int
    seconds: float
    values: Mapping[str, float] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether nothing could be measured of it."""
        return not self.values


class Results:
    """The results of a run, by clip and enhancer.

    Parameters
    ----------
    rows : iterable of ClipResult
        In any order; a later one of the same clip and enhancer replaces an earlier one.
    about : mapping of str to str, optional
        What a reader has to know of the run: its data, the versions of the measures' packages, the machine.
    """

    def __init__(self, rows: Iterable[ClipResult], about: Mapping[str, str] | None = None) -> None:
        self._rows = {(row.clip, row.enhancer): row for row in rows}
        self.about: Mapping[str, str] = MappingProxyType(dict(about or {}))

    def __iter__(self) -> Iterator[ClipResult]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def clips(self) -> list[str]:
        """Names of the clips, in the order they came."""
        return list(dict.fromkeys(clip for clip, _ in self._rows))

    @property
    def enhancers(self) -> list[str]:
        """Names of the enhancers, in the order they came, the untouched input first."""
        return sorted(dict.fromkeys(name for _, name in self._rows), key=lambda name: name != UNPROCESSED)

    @property
    def keys(self) -> list[str]:
        """Keys of all measures of which there is a value, in the order they came."""
        return list(dict.fromkeys(key for row in self for key in row.values))

    def get(self, clip: str, enhancer: str) -> ClipResult | None:
        """Return the result of a clip after an enhancer, or None."""
        return self._rows.get((clip, enhancer))

    def of(self, enhancer: str) -> list[ClipResult]:
        """Return the results of an enhancer."""
        return [row for row in self if row.enhancer == enhancer]

    def gain(self, row: ClipResult, key: str) -> float | None:
        """Return by how much a measure is above that of the clip as it came; None where one of them is missing."""
        before = self.get(row.clip, UNPROCESSED)
        if before is None or key not in row.values or key not in before.values:
            return None
        return row.values[key] - before.values[key]
