"""The curves of an impact report: word errors against the ratio, and against the strength."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unmuffle.measure.impact.bootstrap import Estimate
from unmuffle.measure.impact.report import ConditionImpact, ImpactReport
from unmuffle.measure.results import UNPROCESSED


@dataclass(frozen=True)
class Curve:
    """A line of points with intervals.

    Attributes
    ----------
    name : str
        Whose.
    points : tuple of (float, Estimate, int)
        Where, what in per cent, and of how many clips.
    """

    name: str
    points: tuple[tuple[float, Estimate, int], ...]


@dataclass(frozen=True)
class Chart:
    """Curves that belong together; ``across`` names what they are drawn against."""

    title: str
    across: str
    curves: tuple[Curve, ...]


def charts(report: ImpactReport) -> list[Chart]:
    """Return errors against the ratio, for each noise that has several, and errors against the strength."""
    by_snr = [chart for noise in report.noises if (chart := _against_snr(report, noise)) is not None]
    return [*by_snr, *_against_strength(report)]


def _against_snr(report: ImpactReport, noise: str) -> Chart | None:
    of_noise = [one for one in report.conditions if one.noise == noise and one.snr_db is not None]
    if len({one.snr_db for one in of_noise}) < 2:
        return None
    first = [one for one in of_noise if one.enhancer == of_noise[0].enhancer]
    curves = [Curve(UNPROCESSED, _points(first, 0))]
    curves += [Curve(name, _points([one for one in of_noise if one.enhancer == name], -1)) for name in report.enhancers]
    return Chart(f"word errors in {noise}", "SNR, dB", tuple(curves))


def _points(conditions: Sequence[ConditionImpact], at: int) -> tuple[tuple[float, Estimate, int], ...]:
    found = [(one.snr_db, _percent(one.sweep[at].wer), one.clips) for one in conditions]
    return tuple(sorted(((snr_db, wer, clips) for snr_db, wer, clips in found if snr_db is not None), key=_where))


def _against_strength(report: ImpactReport) -> list[Chart]:
    """Return the sweep over all conditions, or over the only one."""
    widest = [[one for one in report.conditions if one.enhancer == name][-1:] for name in report.enhancers]
    curves = [
        Curve(one.enhancer, tuple((step.strength, _percent(step.wer), one.clips) for step in one.sweep))
        for found in widest
        for one in found
    ]
    if not curves:
        return []
    return [Chart(f"word errors by strength, {widest[0][0].condition}", "strength, 0 is untouched", tuple(curves))]


def _percent(rate: Estimate) -> Estimate:
    return Estimate(100.0 * rate.value, 100.0 * rate.low, 100.0 * rate.high)


def _where(point: tuple[float, Estimate, int]) -> float:
    return point[0]
