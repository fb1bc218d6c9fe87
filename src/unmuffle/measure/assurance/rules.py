"""Rules a clip has to keep: thresholds as data, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite
from typing import Literal, TypeAlias, get_args

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.assurance.assessment import QualityAssessment
from unmuffle.measure.catalogue import MEASURES, measure_of

Of: TypeAlias = Literal["value", "gain", "before"]
Severity: TypeAlias = Literal["fail", "warn"]
JudgedOn: TypeAlias = Literal["mean", "clips"]
Outcome: TypeAlias = Literal["passed", "failed", "warned", "skipped"]

_ROUNDING = 1e-9
"""A gain of 0.85 - 0.75 is a little below 0.1 in floating point, and is 0.1 to whoever set the limit."""


def check_measure(key: object) -> str:
    """Return the key of a measure, or raise ``InvalidParameterError`` that names those most like it."""
    if isinstance(key, str) and key in MEASURES:
        return key
    asked = str(key).lower()
    near = [known for known in MEASURES if asked and asked in known][:3] or get_close_matches(asked, MEASURES)
    hint = f"did you mean {' or '.join(near)}?" if near else f"those there are: {', '.join(MEASURES)}"
    raise InvalidParameterError(f"there is no measure {key!r}: {hint}")


def check_choice(name: str, value: object, choices: object) -> None:
    """Raise ``InvalidParameterError`` for a word that is none of those of a ``Literal``."""
    words = get_args(choices)
    if value not in words:
        raise InvalidParameterError(f"{name} must be {' or '.join(map(repr, words))}, not {value!r}")


@dataclass(frozen=True)
class Threshold:
    """A limit on a measure; what lies on it is within.

    Attributes
    ----------
    measure : str
        Key of the measure.
    of : {"value", "gain", "before"}
        Its value on the enhanced clip, by how much that is above the value of the clip as it came, or the latter.
    minimum, maximum : float or None
        At least one of them.

    Raises
    ------
    InvalidParameterError
        For a key that no measure has, or limits that are missing, not finite or crossed.
    """

    measure: str
    of: Of = "value"
    minimum: float | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        check_measure(self.measure)
        check_choice("of", self.of, Of)
        limits = {"minimum": self.minimum, "maximum": self.maximum}
        for name, limit in limits.items():
            if limit is not None and (isinstance(limit, bool) or not _is_finite_number(limit)):
                raise InvalidParameterError(f"{name} of {self.measure} must be a finite number, not {limit!r}")
        if self.minimum is None and self.maximum is None:
            raise InvalidParameterError(f"{self.measure} has no limit: give a minimum or a maximum")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise InvalidParameterError(
                f"minimum {self.minimum:g} of {self.measure} is above its maximum {self.maximum:g}"
            )

    @property
    def title(self) -> str:
        """The measure as people read it, ``gain`` or ``before`` added where that is what counts."""
        return measure_of(self.measure).name + ("" if self.of == "value" else f" {self.of}")

    @property
    def limits(self) -> str:
        """The limits as people read them, in the unit of the measure."""
        ends = (("at least", self.minimum), ("at most", self.maximum))
        return " and ".join(f"{word} {limit:g}" for word, limit in ends if limit is not None)

    def excess(self, value: float) -> float:
        """Return by how much a value lies outside, in units of the limit passed; 0 or less within."""
        limits = ((self.minimum, -1.0), (self.maximum, 1.0))
        return max(sign * (value - limit) / (abs(limit) or 1.0) for limit, sign in limits if limit is not None)


@dataclass(frozen=True)
class Finding:
    """What was found of a threshold: the value measured, or why there is none."""

    threshold: Threshold
    measured: float | None
    why_not: str | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the value is within the limits; None without a value."""
        return None if self.measured is None else self.threshold.excess(self.measured) <= _ROUNDING

    @property
    def text(self) -> str:
        """The finding in words."""
        if self.measured is None:
            return f"{self.threshold.title}: not known, {self.why_not}"
        measure = measure_of(self.threshold.measure)
        sign = "+" if self.threshold.of == "gain" else ""
        value = f"{self.measured:{sign}.{measure.decimals}f}{f' {measure.unit}' if measure.unit else ''}"
        return f"{self.threshold.title}: {value}, {self.threshold.limits}"


@dataclass(frozen=True)
class Rule:
    """One or several thresholds, of which one has to hold.

    Attributes
    ----------
    any : tuple of Threshold
        The thresholds.
    name : str
        What it is called; made of the thresholds unless given.
    severity : {"fail", "warn"}
        Whether a gate fails by it or only tells of it.
    required : bool
        Whether a clip on which it cannot be judged breaks it; it is skipped there otherwise.
    on : {"mean", "clips"} or None
        What a run of many clips is judged on; as the gate says unless given.
    """

    any: tuple[Threshold, ...]
    name: str = ""
    severity: Severity = "fail"
    required: bool = False
    on: JudgedOn | None = None

    def __post_init__(self) -> None:
        if not self.any:
            raise InvalidParameterError("a rule needs at least one threshold")
        check_choice("severity", self.severity, Severity)
        if self.on is not None:
            check_choice("on", self.on, JudgedOn)
        if not self.name:
            object.__setattr__(self, "name", " or ".join(dict.fromkeys(item.title for item in self.any)))

    def judge(self, assessment: QualityAssessment) -> RuleResult:
        """Return what becomes of the rule on one clip."""
        findings = tuple(Finding(item, *assessment.measured(item.measure, item.of)) for item in self.any)
        return RuleResult(self, self._outcome(findings), findings)

    def judge_mean(self, assessments: Sequence[QualityAssessment]) -> RuleResult:
        """Return what becomes of the rule on the mean over clips, of those on which each measure was taken."""
        found = [[item.measured(limit.measure, limit.of) for item in assessments] for limit in self.any]
        findings = tuple(_mean_finding(limit, column) for limit, column in zip(self.any, found, strict=True))
        unknown = sum(all(value is None for value, _ in row) for row in zip(*found, strict=True))
        count = len(assessments)
        if self.required and unknown:
            return RuleResult(self, self._broken, findings, f"required, but not known of {unknown} of {count} clip(s)")
        told = f"{count - unknown} of {count}" if unknown else f"{count}"
        note = f"mean of {told} clips" if count > 1 and unknown < count else ""
        return RuleResult(self, self._outcome(findings), findings, note)

    def judge_share(self, assessments: Sequence[QualityAssessment], least_share: float) -> RuleResult:
        """Return what becomes of the rule where a share of the clips has to keep it, of those it is known of."""
        results = [(item.clip, self.judge(item)) for item in assessments]
        judged = [(clip, result) for clip, result in results if result.outcome != "skipped"]
        if not judged:
            return RuleResult(self, "skipped", results[0][1].findings, on_clips=True)
        worst_clip, worst = max(judged, key=lambda pair: (pair[1].broken, pair[1].excess))
        kept = sum(not result.broken for _, result in judged)
        share = f"kept by {kept} of {len(judged)} clips"
        # A share such as 0.95 is no binary number; 19 of 20 has to be enough.
        outcome: Outcome = "passed" if kept >= least_share * len(judged) - 1e-9 else self._broken
        return RuleResult(self, outcome, worst.findings, f"{share}; worst: {worst_clip}", on_clips=True)

    @property
    def _broken(self) -> Outcome:
        return "failed" if self.severity == "fail" else "warned"

    def _outcome(self, findings: Sequence[Finding]) -> Outcome:
        if any(item.holds for item in findings):
            return "passed"
        # A threshold that could not be judged might have held.
        if not self.required and any(item.holds is None for item in findings):
            return "skipped"
        return self._broken


@dataclass(frozen=True)
class RuleResult:
    """What became of a rule.

    Attributes
    ----------
    rule : Rule
        Which.
    outcome : {"passed", "failed", "warned", "skipped"}
        Skipped where it could not be judged and is not required.
    findings : tuple of Finding
        What was measured, one for each threshold; of the worst clip where a share of the clips is judged.
    note : str
        What has to be known beside them.
    on_clips : bool
        Whether it stands for many clips, of which a share has to keep the rule.
    """

    rule: Rule
    outcome: Outcome
    findings: tuple[Finding, ...]
    note: str = ""
    on_clips: bool = False

    @property
    def broken(self) -> bool:
        """Whether the rule is not kept, be that a failure or a warning."""
        return self.outcome in ("failed", "warned")

    @property
    def excess(self) -> float:
        """By how much the threshold nearest to holding is missed, in units of its limit; 0 where none is known."""
        known = [item.threshold.excess(item.measured) for item in self.findings if item.measured is not None]
        return min(known, default=0.0)

    @property
    def text(self) -> str:
        """The result in words."""
        told = "; ".join(item.text for item in self.findings)
        return f"{told} ({self.note})" if self.note else told


def _mean_finding(threshold: Threshold, found: Sequence[tuple[float | None, str | None]]) -> Finding:
    values = [value for value, _ in found if value is not None]
    if values:
        return Finding(threshold, sum(values) / len(values))
    commonest, _ = Counter(reason for _, reason in found).most_common(1)[0]
    return Finding(threshold, None, commonest)


def _is_finite_number(value: object) -> bool:
    return isinstance(value, (int, float)) and isfinite(value)
