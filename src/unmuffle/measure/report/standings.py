"""How the enhancers of a run stand in a measure: what tables and pages show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isclose, isfinite

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.assurance.statistics import Summary, paired_tests, summarize
from unmuffle.measure.catalogue import MEASURES
from unmuffle.measure.results import UNPROCESSED, ClipResult, Results
from unmuffle.measure.scores import Measure

SIGNIFICANT = 0.05

_HEADLINES = (
    "si_sdr_db",
    "pesq_wideband",
    "estoi",
    "dnsmos_ovrl",
    "artefact_score",
    "stoi",
    "covl",
    "pesq_narrowband",
    "segmental_snr_db",
    "dnsmos_p808",
    "srmr",
    "estimated_snr_db",
)
_MOST_HEADLINES = 5


@dataclass(frozen=True)
class Standing:
    """An enhancer in a measure.

    Attributes
    ----------
    enhancer : str
        Its name.
    summary : Summary or None
        Of its finite values; None where there are none.
    gain : float or None
        Mean of the differences to the clips as they came, clip by clip.
    p_value : float or None
        Of no difference to the clips as they came: Wilcoxon signed rank, corrected after Holm for all enhancers.
    failed : int
        On how many of its clips the measure was tried and gave no finite value.
    best : bool
        Whether no other has a better mean; never where the measure has no better, or there is nobody else.
    """

    enhancer: str
    summary: Summary | None
    gain: float | None
    p_value: float | None
    failed: int
    best: bool

    @property
    def gain_is_sure(self) -> bool:
        """Whether the difference to the clips as they came is more than chance."""
        return self.p_value is not None and self.p_value < SIGNIFICANT


def refuse_empty(results: Results) -> None:
    """Raise ``InvalidParameterError`` when there is nothing to show."""
    if not len(results):
        raise InvalidParameterError("there are no results to show: the run has no clips; check the folder it was given")


def finite_values(results: Results, enhancer: str, key: str) -> dict[str, float]:
    """Return the values of a measure after an enhancer by clip, without those that are infinite or no number."""
    return {row.clip: row.values[key] for row in results.of(enhancer) if isfinite(row.values.get(key, float("nan")))}


def standings(results: Results, measure: Measure) -> list[Standing]:
    """Return how all enhancers of a run stand in a measure, in the order of ``results.enhancers``."""
    values = {name: finite_values(results, name, measure.key) for name in results.enhancers}
    summaries = {name: summarize(list(found.values())) if found else None for name, found in values.items()}
    best = _best({name: summary.mean for name, summary in summaries.items() if summary is not None}, measure)
    p_values = _against_unprocessed(values)
    return [
        Standing(
            enhancer=name,
            summary=summary,
            gain=_gain(values, name),
            p_value=p_values.get(name),
            failed=sum(_failed(row, measure.key) for row in results.of(name)),
            best=name in best,
        )
        for name, summary in summaries.items()
    ]


def headline_keys(results: Results) -> list[str]:
    """Return the keys of the few measures that say most, of those there are; all where none of them is known."""
    there = results.keys
    return ([key for key in _HEADLINES if key in there] or there)[:_MOST_HEADLINES]


def in_catalogue_order(keys: Sequence[str]) -> list[str]:
    """Return keys in the order of the catalogue, unknown ones last."""
    places = {key: place for place, key in enumerate(MEASURES)}
    return sorted(keys, key=lambda key: places.get(key, len(places)))


def failed_rows(results: Results) -> list[ClipResult]:
    """Return the results of which nothing could be measured."""
    return [row for row in results if row.failed]


def _failed(row: ClipResult, key: str) -> bool:
    if key in row.values:
        return not isfinite(row.values[key])
    return key in row.failures or row.failed


def _best(means: Mapping[str, float], measure: Measure) -> set[str]:
    if measure.more_is_better is None or len(means) < 2:
        return set()
    top = (max if measure.more_is_better else min)(means.values())
    return {name for name, mean in means.items() if isclose(mean, top, rel_tol=1e-12, abs_tol=1e-12)}


def _gain(values: Mapping[str, Mapping[str, float]], name: str) -> float | None:
    before = values.get(UNPROCESSED, {})
    gains = [value - before[clip] for clip, value in values[name].items() if clip in before]
    return sum(gains) / len(gains) if gains and name != UNPROCESSED else None


def _against_unprocessed(values: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    before = values.get(UNPROCESSED, {})
    others = {name: found for name, found in values.items() if name != UNPROCESSED and before.keys() & found.keys()}
    return {name: test.p_value for name, test in paired_tests(before, others).items()}
