"""What an impact run found, as data; figures, tables and pages are made of it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from unmuffle.errors import AudioFileError
from unmuffle.measure.impact.bootstrap import Estimate
from unmuffle.measure.impact.verdict import ImpactVerdict
from unmuffle.measure.impact.word_errors import WordErrors

ALL = "all"
"""The noise of what is over all types, and, without a ratio, over all conditions."""


@dataclass(frozen=True)
class StrengthImpact:
    """A condition after an enhancer at one strength.

    Attributes
    ----------
    strength : float
        0 is the recording as it came, 1 all of the effect.
    errors : WordErrors
        Of all clips together.
    wer : Estimate
        Their rate.
    similarity : Estimate or None
        Mean cosine of the speaker embedding to that of the clean clip.
    """

    strength: float
    errors: WordErrors
    wer: Estimate
    similarity: Estimate | None = None


@dataclass(frozen=True)
class ConditionImpact:
    """A noise at a ratio after an enhancer.

    Attributes
    ----------
    noise : str
        Its type; ``"all"`` for all types together.
    snr_db : float or None
        The ratio; None where it is not known, and for all of them together.
    enhancer : str
        Who worked on it.
    clips : int
        How many clips are in it: those of which there is a text at every strength.
    clean_wer : Estimate or None
        The error rate of the same clips without noise.
    sweep : tuple of StrengthImpact
        By rising strength; the first is the noisy recording, the last all of the effect.
    verdict : ImpactVerdict
        What to do.
    """

    noise: str
    snr_db: float | None
    enhancer: str
    clips: int
    clean_wer: Estimate | None
    sweep: tuple[StrengthImpact, ...]
    verdict: ImpactVerdict

    @property
    def noisy(self) -> StrengthImpact:
        """The recording as it came."""
        return self.sweep[0]

    @property
    def enhanced(self) -> StrengthImpact:
        """All of the effect."""
        return self.sweep[-1]

    @property
    def advised(self) -> StrengthImpact:
        """What the verdict advises."""
        return next(one for one in self.sweep if one.strength == self.verdict.strength)

    @property
    def condition(self) -> str:
        """Noise and ratio in words."""
        if self.noise == ALL:
            return "all conditions" if self.snr_db is None else f"all noises, {self.snr_db:g} dB"
        return self.noise if self.snr_db is None else f"{self.noise}, {self.snr_db:g} dB"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        clean = self.clean_wer
        return {
            **asdict(self),
            "words": self.noisy.errors.words,
            "degradation": {
                "noisy": None if clean is None else self.noisy.wer.value - clean.value,
                "enhanced": None if clean is None else self.enhanced.wer.value - clean.value,
                "advised": None if clean is None else self.advised.wer.value - clean.value,
            },
            "verdict": {**asdict(self.verdict), "text": self.verdict.text},
        }


@dataclass(frozen=True)
class ImpactReport:
    """What an impact run found.

    Attributes
    ----------
    conditions : tuple of ConditionImpact
        By enhancer: each noise at each ratio, each ratio over all noises, and everything together.
    confidence : float
        Of all intervals.
    failures : tuple of str
        Which clips failed, and why.
    left_out : tuple of str
        Clips that were not judged, since the recogniser does not understand them when they are clean.
    about : mapping of str to str
        What a reader has to know of the run.
    """

    conditions: tuple[ConditionImpact, ...]
    confidence: float
    failures: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    about: Mapping[str, str] = field(default_factory=dict)

    @property
    def enhancers(self) -> list[str]:
        """Names, in the order they came."""
        return list(dict.fromkeys(one.enhancer for one in self.conditions))

    @property
    def noises(self) -> list[str]:
        """Types of noise, in the order they came."""
        return list(dict.fromkeys(one.noise for one in self.conditions))

    def get(self, noise: str, snr_db: float | None, enhancer: str) -> ConditionImpact | None:
        """Return what was found in a condition, or None."""
        wanted = (noise, snr_db, enhancer)
        return next((one for one in self.conditions if (one.noise, one.snr_db, one.enhancer) == wanted), None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "about": dict(self.about),
            "confidence": self.confidence,
            "conditions": [one.to_dict() for one in self.conditions],
            "failures": list(self.failures),
            "left_out": list(self.left_out),
        }

    def write_json(self, path: str | os.PathLike[str]) -> None:
        """Write ``to_dict`` to a file, or raise ``AudioFileError``."""
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"
        try:
            Path(path).write_text(text, encoding="utf-8")
        except OSError as error:
            raise AudioFileError(f"{path} cannot be written: {error.strerror}") from error
