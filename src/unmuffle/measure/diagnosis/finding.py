"""Findings about a recording, and what they amount to: its diagnosis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from unmuffle.presets import STAGES, StageChoice, check_order

Severity: TypeAlias = Literal["note", "mild", "serious"]


@dataclass(frozen=True)
class Finding:
    """One thing about a recording that its listeners notice, or that whoever treats it should know.

    Attributes
    ----------
    key : str
        What it is about: ``clipping``, ``clicks``, ``rumble``, ``dc``, ``hum``, ``pops``, ``reverberation``, ``noise``,
        ``sibilance``, ``uneven``, ``quiet``, ``loud``, ``bandwidth``, ``damaged``, ``silent``, ``no_speech`` or
        ``clean``.
    text : str
        In plain words.
    value : float or None
        The number it rests on; None where there is none, as for silence.
    unit : str
        Of the value.
    severity : {"note", "mild", "serious"}
        A note needs no treatment, or has none here.
    stages : tuple of StageChoice
        What treats it, with options; empty for a note.
    """

    key: str
    text: str
    value: float | None
    unit: str
    severity: Severity
    stages: tuple[StageChoice, ...] = ()

    @property
    def stage(self) -> StageChoice | None:
        """The stage that does the work; None for a note."""
        return self.stages[0] if self.stages else None

    @property
    def number(self) -> str:
        """The value with its unit, as people read it.

        >>> Finding("hum", "there is hum", -41.27, "dBFS", "mild").number
        '-41.3 dBFS'
        """
        if self.value is None:
            return ""
        size = abs(self.value)
        digits = 0 if size >= 100.0 else 1 if size >= 1.0 else 3
        return f"{self.value:.{digits}f} {self.unit}".rstrip()

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as plain values for JSON."""
        return {
            "key": self.key,
            "text": self.text,
            "value": self.value,
            "unit": self.unit,
            "severity": self.severity,
            "treated_by": [str(stage) for stage in self.stages],
        }


@dataclass(frozen=True)
class Diagnosis:
    """What was found in a recording.

    Attributes
    ----------
    findings : tuple of Finding
        The serious ones first.
    sample_rate, channels : int
        Of the recording.
    seconds : float
        Its length.
    heard_s : float
        How much of it was listened to.
    warnings : tuple of str
        What stood in the way of reading or measuring it, one line each.
    """

    findings: tuple[Finding, ...]
    sample_rate: int
    channels: int
    seconds: float
    heard_s: float
    warnings: tuple[str, ...] = ()

    @property
    def chain(self) -> tuple[StageChoice, ...]:
        """The stages that treat what was found, each once and in the order in which they work; empty for none."""
        wanted = {stage.name: stage for finding in self.findings for stage in finding.stages}
        return check_order([wanted[name] for name in STAGES if name in wanted])

    def of(self, key: str) -> Finding | None:
        """Return the finding of a kind, or None if there is none."""
        return next((finding for finding in self.findings if finding.key == key), None)

    def __str__(self) -> str:
        """Return the chain as ``--chain`` and ``Enhancer(chain=)`` take it; nothing where nothing needs doing."""
        return ",".join(map(str, self.chain))

    def to_dict(self) -> dict[str, Any]:
        """Return the diagnosis as plain values for JSON."""
        return {
            "sample_rate": self.sample_rate,
            "channels": self.channels,
            "seconds": self.seconds,
            "heard_s": self.heard_s,
            "findings": [finding.to_dict() for finding in self.findings],
            "chain": str(self),
            "warnings": list(self.warnings),
        }
