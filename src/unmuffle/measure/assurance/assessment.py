"""What was measured of one clip before and after an enhancer, and what was gained by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from unmuffle.measure.catalogue import measure_of
from unmuffle.measure.results import UNPROCESSED, ClipResult, Results

DELAY = "delay_ms"
"""Key of the delay that was taken out before anything was compared; there is none where it was 1 ms or less."""


@dataclass(frozen=True)
class QualityAssessment:
    """A clip before and after an enhancer.

    Attributes
    ----------
    after : ClipResult
        Of the enhanced clip; what compares it with the original, and what the enhancer costs, stand here too.
    before : ClipResult or None
        Of the clip as it came; None where nothing is known of it.
    """

    after: ClipResult
    before: ClipResult | None = None

    @property
    def clip(self) -> str:
        """Name of the clip."""
        return self.after.clip

    @property
    def enhancer(self) -> str:
        """Name of the enhancer."""
        return self.after.enhancer

    @property
    def broken(self) -> str | None:
        """Why the clip as a whole could not be measured; None where it could."""
        return self.after.failures.get("clip")

    @property
    def gains(self) -> dict[str, float]:
        """By how much each measure is above that of the clip as it came; a loss where less is better."""
        before = {} if self.before is None else self.before.values
        return {key: value - before[key] for key, value in self.after.values.items() if key in before}

    @property
    def failures(self) -> dict[str, str]:
        """Why measures could not be taken, by key; of the clip as it came only where the enhanced one worked."""
        before = {} if self.before is None else self.before.failures
        return {**{key: f"{reason} (before)" for key, reason in before.items()}, **self.after.failures}

    def measured(self, key: str, of: str) -> tuple[float | None, str | None]:
        """Return the value or gain of a measure, or what it was before (``of`` says which), or None and why not."""
        value, why_not = (None, None) if of == "before" else _finite(self.after, key)
        if of == "value" or (of == "gain" and value is None):
            return value, why_not
        if self.before is None:
            return None, "nothing is known of the clip before it was enhanced"
        before, why_not = _finite(self.before, key)
        if before is None:
            return None, f"before: {why_not}"
        return (before if value is None else value - before), None

    def to_rows(self) -> list[ClipResult]:
        """Return the clip as it came and the enhanced one, as ``Results`` takes them."""
        return [self.after] if self.before is None else [self.before, self.after]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it; values that are not finite are left out."""
        return {
            "clip": self.clip,
            "enhancer": self.enhancer,
            "sample_rate": self.after.sample_rate,
            "seconds": self.after.seconds,
            "before": None if self.before is None else _finite_of(self.before.values),
            "after": _finite_of(self.after.values),
            "gains": _finite_of(self.gains),
            "failures_before": {} if self.before is None else dict(self.before.failures),
            "failures": dict(self.after.failures),
            "conditions": dict(self.after.conditions),
            "files": dict(self.after.files),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> QualityAssessment:
        """Return what ``to_dict`` made a mapping of; a missing field raises KeyError."""

        def row(enhancer: str, values: Mapping[str, float], failures: Mapping[str, str]) -> ClipResult:
            return ClipResult(
                clip=data["clip"],
                enhancer=enhancer,
                sample_rate=data["sample_rate"],
                seconds=data["seconds"],
                values=values,
                failures=failures,
                conditions=data["conditions"],
                files=data["files"],
            )

        before = None if data["before"] is None else row(UNPROCESSED, data["before"], data["failures_before"])
        after = row(data["enhancer"], data["after"], data["failures"])
        return cls(after, before)

    def lines(self) -> list[str]:
        """Return in plain words what was found, a line a measure."""
        return [f"{self.clip}, {self.enhancer}: {self.after.seconds:.2f} s", *self._delay_lines(), *self._value_lines()]

    def _delay_lines(self) -> Iterator[str]:
        delay_ms = self.after.values.get(DELAY)
        if delay_ms is not None:
            yield f"{abs(delay_ms):.2f} ms {'late' if delay_ms > 0.0 else 'early'}, taken out before comparing"

    def _value_lines(self) -> Iterator[str]:
        gains = self.gains
        for key, value in self.after.values.items():
            if key == DELAY:
                continue
            measure = measure_of(key)
            unit = f" {measure.unit}" if measure.unit else ""
            if key in gains:
                before = measure.format(value - gains[key])
                change = f"{gains[key]:+.{measure.decimals}f}"
                yield f"{measure.name}: {before} -> {measure.format(value)}{unit} ({change}{self._judged(key)})"
            else:
                yield f"{measure.name}: {measure.format(value)}{unit}"
        for reason in dict.fromkeys(self.failures.values()):
            yield f"not measured: {reason}"

    def _judged(self, key: str) -> str:
        better, gain = measure_of(key).more_is_better, self.gains[key]
        if better is None or gain == 0.0:
            return ""
        return ", better" if (gain > 0.0) == better else ", worse"


def assessments_of(results: Results) -> list[QualityAssessment]:
    """Return each clip after each enhancer, beside the clip as it came."""
    return [
        QualityAssessment(row, results.get(row.clip, UNPROCESSED)) for row in results if row.enhancer != UNPROCESSED
    ]


def _finite(row: ClipResult, key: str) -> tuple[float | None, str | None]:
    if key not in row.values:
        return None, row.failures.get(key) or row.failures.get("clip") or "it was not measured"
    value = float(row.values[key])
    return (value, None) if isfinite(value) else (None, f"it is {value}")


def _finite_of(values: Mapping[str, float]) -> dict[str, float]:
    return {key: float(value) for key, value in values.items() if isfinite(value)}
