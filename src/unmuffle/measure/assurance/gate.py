"""The quality gate: whether a clip, and a run over many, may ship."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.assurance import gate_file
from unmuffle.measure.assurance.assessment import QualityAssessment, assessments_of
from unmuffle.measure.assurance.rules import JudgedOn, Rule, RuleResult, Threshold, check_choice
from unmuffle.measure.assurance.verdicts import EnhancerVerdict, GateReport, Verdict
from unmuffle.measure.results import UNPROCESSED, ClipResult, Results


@dataclass(frozen=True)
class QualityGate:
    """Rules that decide whether enhanced audio may ship.

    Attributes
    ----------
    rules : tuple of Rule
        At least one.
    on : {"mean", "clips"}
        Whether a run of many clips is judged on the mean of each measure, or on how many clips keep each rule; a
        rule may say otherwise for itself.
    least_share : float
        The share of the clips that has to keep a rule judged on clips, above 0 to 1.

    Raises
    ------
    InvalidParameterError
        If there is no rule, or something is outside its range.

    Examples
    --------
    >>> gate = QualityGate((Rule((Threshold("si_sdr_db", "gain", minimum=3.0),)),))
    >>> row = ClipResult("a", "mine", 16000, 5.0, {"si_sdr_db": 9.0})
    >>> gate.judge(row, ClipResult("a", "noisy", 16000, 5.0, {"si_sdr_db": 4.5})).passed
    True
    """

    rules: tuple[Rule, ...]
    on: JudgedOn = "mean"
    least_share: float = 1.0

    def __post_init__(self) -> None:
        if not self.rules:
            raise InvalidParameterError("the gate has no rule, so that everything would pass: add one under [[rules]]")
        check_choice("on", self.on, JudgedOn)
        share = self.least_share
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0.0 < share <= 1.0:
            raise InvalidParameterError(f"least_share must be above 0 and at most 1, not {share!r}")

    @classmethod
    def default(cls) -> QualityGate:
        """Return the gate that stands when nobody wrote another."""
        return cls(_DEFAULT_RULES)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> QualityGate:
        """Read a gate from a ``.toml`` or ``.json`` file.

        Raises
        ------
        AudioFileError
            If the file cannot be read.
        InvalidParameterError
            If it is empty, is no TOML or JSON, or holds what a gate does not know; the place is named.
        """
        rules, options = gate_file.read(path)
        with gate_file.named(path):
            return cls(rules, **options)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the gate to a ``.toml`` or ``.json`` file, from which ``load`` makes an equal one.

        Raises
        ------
        AudioFileError
            If it cannot be written.
        InvalidParameterError
            If the name ends otherwise.
        """
        gate_file.write(path, self.rules, {"on": self.on, "least_share": self.least_share})

    @property
    def measures(self) -> list[str]:
        """Keys of the measures its rules ask for."""
        return list(dict.fromkeys(limit.measure for rule in self.rules for limit in rule.any))

    def judge(self, clip: QualityAssessment | ClipResult, before: ClipResult | None = None) -> Verdict:
        """Judge one clip.

        Parameters
        ----------
        clip : QualityAssessment or ClipResult
            What was measured of it.
        before : ClipResult, optional
            With a ``ClipResult``: that of the clip as it came, without which no gain is known.
        """
        assessment = QualityAssessment(clip, before) if isinstance(clip, ClipResult) else clip
        return Verdict(assessment, tuple(rule.judge(assessment) for rule in self.rules))

    def judge_all(self, results: Results | Iterable[QualityAssessment]) -> GateReport:
        """Judge a run, each clip alone and each enhancer over all its clips.

        Raises
        ------
        InvalidParameterError
            If there is no enhanced clip in it.
        """
        found = assessments_of(results) if isinstance(results, Results) else list(results)
        by_enhancer: dict[str, list[QualityAssessment]] = {}
        for item in found:
            by_enhancer.setdefault(item.enhancer, []).append(item)
        if not by_enhancer:
            raise InvalidParameterError(f"there is nothing to judge: no clip after any enhancer but {UNPROCESSED!r}")
        return GateReport(tuple(self._judge_enhancer(name, items) for name, items in by_enhancer.items()))

    def _judge_enhancer(self, name: str, items: list[QualityAssessment]) -> EnhancerVerdict:
        # Clips of which nothing could be measured are told by their own verdicts.
        measured = [item for item in items if not item.broken]
        overall = tuple(self._judge_overall(rule, measured) for rule in self.rules if measured)
        return EnhancerVerdict(name, tuple(self.judge(item) for item in items), overall)

    def _judge_overall(self, rule: Rule, items: list[QualityAssessment]) -> RuleResult:
        if (rule.on or self.on) == "mean":
            return rule.judge_mean(items)
        return rule.judge_share(items, self.least_share)


_DEFAULT_RULES = (
    Rule((Threshold("snr_db", "gain", minimum=3.0),)),
    Rule((Threshold("pesq_wideband", "gain", minimum=0.5),)),
    Rule((Threshold("stoi", "gain", minimum=0.1), Threshold("stoi", "value", minimum=0.95))),
    Rule((Threshold("artefact_score", maximum=0.3),)),
    Rule((Threshold("clipping_share", maximum=0.01),)),
    Rule((Threshold("transparency_si_sdr_db", minimum=20.0),)),
    Rule((Threshold("real_time_factor", maximum=1.0),)),
    Rule((Threshold("latency_ms", maximum=50.0),)),
)
