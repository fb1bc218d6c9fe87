"""What a gate says of a clip, of an enhancer over all its clips, and of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from unmuffle.measure.assurance.assessment import QualityAssessment
from unmuffle.measure.assurance.rules import RuleResult

Status: TypeAlias = Literal["passed", "failed", "unmeasured"]

WORST_CLIPS = 10


@dataclass(frozen=True)
class Verdict:
    """What the gate says of one clip after one enhancer."""

    assessment: QualityAssessment
    results: tuple[RuleResult, ...]

    @property
    def status(self) -> Status:
        """``"unmeasured"`` where no rule could be judged: what nobody looked at has not passed."""
        if self.assessment.broken or all(item.outcome == "skipped" for item in self.results):
            return "unmeasured"
        return "failed" if any(item.outcome == "failed" for item in self.results) else "passed"

    @property
    def passed(self) -> bool:
        """Whether it may ship."""
        return self.status == "passed"

    @property
    def reason(self) -> str:
        """Why it did not pass, in words; empty where it did."""
        if self.status == "passed":
            return ""
        if self.status == "failed":
            return "; ".join(item.text for item in self.results if item.outcome == "failed")
        return self.assessment.broken or "; ".join(item.text for item in self.results)

    @property
    def badness(self) -> tuple[int, float]:
        """Number of rules broken and how far by, to order clips by."""
        broken = [item for item in self.results if item.broken]
        return len(broken), sum(item.excess for item in broken)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {"status": self.status, **self.assessment.to_dict(), "rules": [_as_data(item) for item in self.results]}


@dataclass(frozen=True)
class EnhancerVerdict:
    """What the gate says of an enhancer over all its clips: each rule on the mean, or on a share of the clips."""

    enhancer: str
    clips: tuple[Verdict, ...]
    results: tuple[RuleResult, ...]

    @property
    def status(self) -> Status:
        """``"unmeasured"`` where nothing failed, but a clip could not be measured, or no rule be judged on it."""
        if any(item.outcome == "failed" for item in self.results):
            return "failed"
        return "unmeasured" if self.unmeasured else "passed"

    @property
    def share_passed(self) -> float:
        """Share of the clips that pass alone, 0 to 1."""
        return sum(item.passed for item in self.clips) / len(self.clips)

    @property
    def unmeasured(self) -> list[Verdict]:
        """The clips of which nothing could be told."""
        return [item for item in self.clips if item.status == "unmeasured"]

    @property
    def worst(self) -> list[Verdict]:
        """Up to ten clips that break rules, the worst first: by how many, then by how far."""
        broken = [item for item in self.clips if item.badness[0] and item.status != "unmeasured"]
        return sorted(broken, key=lambda item: item.badness, reverse=True)[:WORST_CLIPS]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {
            "enhancer": self.enhancer,
            "status": self.status,
            "clips_passed": sum(item.passed for item in self.clips),
            "share_passed": self.share_passed,
            "rules": [_as_data(item) for item in self.results],
            "worst": [item.assessment.clip for item in self.worst],
            "clips": [item.to_dict() for item in self.clips],
        }


@dataclass(frozen=True)
class GateReport:
    """What the gate says of a run, by enhancer."""

    enhancers: tuple[EnhancerVerdict, ...]

    @property
    def status(self) -> Status:
        """The worst of all enhancers: failed, then unmeasured, then passed."""
        found = {item.status for item in self.enhancers}
        return "failed" if "failed" in found else "unmeasured" if "unmeasured" in found else "passed"

    @property
    def passed(self) -> bool:
        """Whether all may ship."""
        return self.status == "passed"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {"status": self.status, "enhancers": [item.to_dict() for item in self.enhancers]}


def _as_data(result: RuleResult) -> dict[str, Any]:
    return {
        "rule": result.rule.name,
        "outcome": result.outcome,
        "text": result.text,
        "findings": [
            {"measure": item.threshold.measure, "of": item.threshold.of, "limits": item.threshold.limits}
            | ({"measured": item.measured} if item.why_not is None else {"why_not": item.why_not})
            for item in result.findings
        ],
    }
