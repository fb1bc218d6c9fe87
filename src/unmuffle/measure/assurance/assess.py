"""Everything that can be told of an enhanced clip: what was gained, what was damaged, what it cost."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from math import isfinite

import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.assurance.assessment import DELAY, QualityAssessment
from unmuffle.measure.assurance.in_step import ThreeInStep, bring_three_in_step
from unmuffle.measure.assurance.rules import check_measure
from unmuffle.measure.catalogue import MEASURES
from unmuffle.measure.damage.scores import score_damage
from unmuffle.measure.damage.transparency import TRANSPARENCY_MEASURES, score_transparency
from unmuffle.measure.evaluation.clip_work import NO_REFERENCE
from unmuffle.measure.evaluation.selection import BLIND_KEYS, DAMAGE_KEYS, REFERENCE_KEYS, TRANSPARENCY_KEYS
from unmuffle.measure.reference.scorecard import REFERENCE_MEASURES, score
from unmuffle.measure.results import UNPROCESSED, ClipResult, Condition
from unmuffle.measure.scores import Measure, Score
from unmuffle.measure.single.blind_scores import score_blind
from unmuffle.signal.arrays import as_channels

NOTHING_MADE_OF_CLEAN = "it needs what the enhancer makes of the clean reference"

_ON_REQUEST = frozenset({"frequency_weighted_segmental_snr_db", "pesq_narrowband", "csig", "cbak", "covl"})

DEFAULT_MEASURES = tuple(key for key in MEASURES if key not in _ON_REQUEST and not key.startswith("dnsmos"))
"""What is measured unless something else is asked for: all but the slow ones that say nearly what others do."""


def assess_quality(
    original: npt.ArrayLike,
    enhanced: npt.ArrayLike,
    sample_rate: int,
    reference: npt.ArrayLike | None = None,
    *,
    enhanced_reference: npt.ArrayLike | None = None,
    measures: Collection[str] | None = None,
    real_time_factor: float | None = None,
    latency_ms: float | None = None,
    in_step: bool = False,
    clip: str = "clip",
    enhancer: str = "enhanced",
    conditions: Mapping[str, Condition] | None = None,
    files: Mapping[str, str] | None = None,
) -> QualityAssessment:
    """Measure a clip before and after an enhancer.

    Parameters
    ----------
    original, enhanced : array_like
        ``[samples]`` or ``[channels, samples]``, of one shape. A delay of more than 1 ms is taken out, and told.
    sample_rate : int
        Of all, in Hz, 8,000 to 192,000.
    reference : array_like, optional
        The clean speech, of the same shape; without it only blind measures and those of damage are taken.
    enhanced_reference : array_like, optional
        What the enhancer made of ``reference``; shows what it does to speech that is clean already.
    measures : collection of str, optional
        Keys of the measures; ``DEFAULT_MEASURES`` unless given, which leaves out DNSMOS among others.
    real_time_factor : float, optional
        Time the enhancer took over the length of the audio.
    latency_ms : float, optional
        Latency of the enhancer.
    in_step : bool, default False
        Whether it is known that there is no delay, so that none is looked for.
    clip, enhancer : str
        What the two are called.
    conditions, files : mapping, optional
        What is known of the clip, and paths by role; see ``ClipResult``.

    Returns
    -------
    QualityAssessment
        A measure that cannot be taken has a reason in place of a value.

    Raises
    ------
    InvalidAudioError
        If shapes differ, there is no sample, or a sample is NaN or infinite.
    InvalidParameterError
        For a key that no measure has, or a rate outside its range.
    """
    wanted = frozenset(DEFAULT_MEASURES if measures is None else map(check_measure, measures))
    found = bring_three_in_step(original, enhanced, reference, sample_rate, known=in_step)
    seconds = found.original.shape[1] / sample_rate

    def row(name: str, scores: Iterable[Score], told: Mapping[str, float | None]) -> ClipResult:
        values, failures = _collected(scores)
        values.update({key: value for key, value in told.items() if value is not None})
        return ClipResult(clip, name, sample_rate, seconds, values, failures, dict(conditions or {}), dict(files or {}))

    after = [
        *_scores(found.enhanced, found, sample_rate, wanted),
        *_damage(found, sample_rate, wanted),
        *_transparency(reference, enhanced_reference, sample_rate, wanted),
    ]
    told = {"real_time_factor": real_time_factor, "latency_ms": latency_ms, DELAY: found.delay_ms}
    return QualityAssessment(
        after=row(enhancer, after, told),
        before=row(UNPROCESSED, _scores(found.original, found, sample_rate, wanted), {}),
    )


def _scores(audio: npt.ArrayLike, found: ThreeInStep, sample_rate: int, wanted: frozenset[str]) -> list[Score]:
    """Measure the original or the enhanced clip, with and without a reference."""
    blind = score_blind(audio, sample_rate, wanted & BLIND_KEYS)
    if found.reference is None:
        return [*_none(REFERENCE_MEASURES, wanted, NO_REFERENCE), *blind]
    return [*score(found.reference, audio, sample_rate, wanted & REFERENCE_KEYS), *blind]


def _damage(found: ThreeInStep, sample_rate: int, wanted: frozenset[str]) -> list[Score]:
    keys = wanted & DAMAGE_KEYS
    return score_damage(found.original, found.enhanced, sample_rate, found.reference, keys) if keys else []


def _transparency(
    reference: npt.ArrayLike | None, enhanced: npt.ArrayLike | None, sample_rate: int, wanted: frozenset[str]
) -> list[Score]:
    if reference is None or enhanced is None:
        return _none(TRANSPARENCY_MEASURES, wanted, NOTHING_MADE_OF_CLEAN)
    keys = wanted & TRANSPARENCY_KEYS
    if not keys:
        return []
    clean, made = as_channels(reference), as_channels(enhanced)
    try:
        return score_transparency(lambda *_: made, clean, sample_rate, keys)
    except InvalidAudioError as error:
        return _none(TRANSPARENCY_MEASURES, keys, str(error))


def _none(measures: Iterable[Measure], wanted: frozenset[str], reason: str) -> list[Score]:
    return [Score(measure, None, reason) for measure in measures if measure.key in wanted]


def _collected(scores: Iterable[Score]) -> tuple[dict[str, float], dict[str, str]]:
    values: dict[str, float] = {}
    failures: dict[str, str] = {}
    for item in scores:
        if item.value is not None and isfinite(item.value):
            values[item.measure.key] = float(item.value)
        else:
            failures[item.measure.key] = item.why_not or f"it is {item.value}"
    return values, failures
