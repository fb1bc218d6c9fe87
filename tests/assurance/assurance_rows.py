"""Results made by hand, whose verdicts are known."""

from __future__ import annotations

from collections.abc import Mapping

from unmuffle.measure.assurance.assessment import QualityAssessment
from unmuffle.measure.results import UNPROCESSED, ClipResult

GOOD_BEFORE = {"snr_db": 5.0, "pesq_wideband": 1.4, "stoi": 0.70, "clipping_share": 0.0}
GOOD_AFTER = {
    "snr_db": 12.0,
    "pesq_wideband": 2.2,
    "stoi": 0.85,
    "artefact_score": 0.1,
    "clipping_share": 0.0,
    "transparency_si_sdr_db": 25.0,
    "real_time_factor": 0.01,
    "latency_ms": 32.0,
}


def row(
    values: Mapping[str, float],
    clip: str = "clip",
    enhancer: str = "mine",
    failures: Mapping[str, str] | None = None,
    seconds: float = 5.0,
) -> ClipResult:
    files = {"noisy": f"/audio/noisy/{clip}.wav", "enhanced": f"/audio/{enhancer}/{clip}.wav"}
    return ClipResult(clip, enhancer, 16_000, seconds, dict(values), dict(failures or {}), {"snr_db": 5.0}, files)


def assessment(
    after: Mapping[str, float],
    before: Mapping[str, float] | None = None,
    clip: str = "clip",
    enhancer: str = "mine",
    failures: Mapping[str, str] | None = None,
) -> QualityAssessment:
    earlier = None if before is None else row(before, clip, UNPROCESSED)
    return QualityAssessment(row(after, clip, enhancer, failures), earlier)


def unmeasurable(clip: str = "broken", enhancer: str = "mine") -> QualityAssessment:
    return assessment({}, None, clip, enhancer, {"clip": f"{clip}.wav is damaged"})
