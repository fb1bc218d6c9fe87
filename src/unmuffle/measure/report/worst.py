"""Which clips an enhancer did worst on, and what was measured of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from math import isfinite

from unmuffle.measure.catalogue import measure_of
from unmuffle.measure.report.comparison import plain, signed
from unmuffle.measure.report.standings import headline_keys
from unmuffle.measure.results import UNPROCESSED, ClipResult, Results
from unmuffle.measure.scores import Measure

WORST_CLIPS = 10


@dataclass(frozen=True)
class Ranking:
    """The worst clips of an enhancer, the worst first.

    Attributes
    ----------
    enhancer : str
        Its name.
    measure : Measure
        By which they are ranked.
    by_gain : bool
        Whether by what was gained over the clip as it came, or by the value itself.
    rows : tuple of (ClipResult, float)
        The results and what they are ranked by.
    """

    enhancer: str
    measure: Measure
    by_gain: bool
    rows: tuple[tuple[ClipResult, float], ...]


@dataclass(frozen=True)
class VersionTable:
    """Values of the versions of a clip as text.

    Attributes
    ----------
    names : tuple of str
        The enhancers.
    rows : tuple of (str, tuple of str)
        Title and values of each measure.
    reasons : tuple of str
        Why some are missing.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    reasons: tuple[str, ...]


def rankings(results: Results) -> list[Ranking]:
    """Return the worst clips of each enhancer, by the first headline measure that has a better and a worse.

    Of the clip as it came there are none, unless it is all there is.
    """
    measure = _ranked_by(results)
    if measure is None:
        return []
    processed = [name for name in results.enhancers if name != UNPROCESSED]
    found = (_ranking(results, name, measure) for name in processed or results.enhancers)
    return [ranking for ranking in found if ranking.rows]


def clips_with_players(found: list[Ranking], most: int) -> list[str]:
    """Return the clips worth listening to: the worst of each enhancer, then the second worst, ..."""
    turns = zip_longest(*([row.clip for row, _ in ranking.rows] for ranking in found))
    return [clip for clip in dict.fromkeys(chain.from_iterable(turns)) if clip is not None][:most]


def ranked_text(value: float, measure: Measure, *, by_gain: bool) -> str:
    """Return what a clip is ranked by."""
    unit = f" {measure.unit}" if measure.unit else ""
    return (signed(value, measure) if by_gain else plain(value, measure)) + unit


def version_table(results: Results, clip: str, keys: Sequence[str]) -> VersionTable:
    """Return the values of all versions of a clip."""
    rows = [row for name in results.enhancers if (row := results.get(clip, name)) is not None]
    table = [
        (measure.title, tuple(plain(row.values.get(measure.key), measure) for row in rows))
        for measure in map(measure_of, keys)
    ]
    return VersionTable(tuple(row.enhancer for row in rows), tuple(table), tuple(_reasons(rows)))


def _reasons(rows: Sequence[ClipResult]) -> Iterator[str]:
    """Return one line for each reason, with the measures and the versions it stands for."""
    found: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for row in rows:
        for key, why in row.failures.items():
            names, versions = found.setdefault(why, ({}, {}))
            names[measure_of(key).name] = versions[row.enhancer] = None
    for why, (names, versions) in found.items():
        of = "all versions" if len(versions) == len(rows) else ", ".join(versions)
        yield f"{', '.join(names)} ({of}): {why}"


def _ranked_by(results: Results) -> Measure | None:
    measures = map(measure_of, [*headline_keys(results), *results.keys])
    return next((measure for measure in measures if measure.more_is_better is not None), None)


def _ranking(results: Results, enhancer: str, measure: Measure) -> Ranking:
    rows = [row for row in results.of(enhancer) if isfinite(row.values.get(measure.key, float("nan")))]
    gains = [(row, gain) for row in rows if (gain := results.gain(row, measure.key)) is not None and isfinite(gain)]
    by_gain = bool(gains) and enhancer != UNPROCESSED
    ranked = gains if by_gain else [(row, row.values[measure.key]) for row in rows]
    ordered = sorted(ranked, key=lambda item: item[1] if measure.more_is_better else -item[1])
    return Ranking(enhancer, measure, by_gain, tuple(ordered[:WORST_CLIPS]))
