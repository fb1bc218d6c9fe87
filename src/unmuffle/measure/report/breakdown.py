"""Results by the levels of a condition: how the enhancers stand at each SNR, in each kind of noise, for each talker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor, isfinite

from unmuffle.measure.assurance.statistics import Summary, summarize
from unmuffle.measure.report.charts.series import Series, styles
from unmuffle.measure.report.standings import finite_values
from unmuffle.measure.results import Condition, Results

_MOST_NUMBERS = 8
_BINS = 6
_MOST_NAMES = 12
_NAMES = {
    "snr_db": ("SNR", "dB"),
    "rt60_s": ("reverberation", "s"),
    "noise_type": ("noise", ""),
    "rate": ("sample rate", "Hz"),
    "sample_rate": ("sample rate", "Hz"),
}


@dataclass(frozen=True)
class Breakdown:
    """A condition and the level that each clip is at.

    Attributes
    ----------
    key, title : str
        Of the condition; the title has its unit.
    levels : tuple of str
        Names of the levels: numbers upwards, names by how many clips they have.
    places : tuple of float or None
        Where the levels of a number lie; None for names.
    of_clip : dict of str to str
        Level by clip.
    left_out : int
        How many rarer names are not shown.
    """

    key: str
    title: str
    levels: tuple[str, ...]
    places: tuple[float, ...] | None
    of_clip: dict[str, str]
    left_out: int = 0

    @property
    def name(self) -> str:
        """What the condition is called, without its unit."""
        return _name(self.key)[0]

    def series(self, results: Results, measure_key: str) -> list[Series]:
        """Return the summaries of a measure for every enhancer at every level; enhancers without any are left out."""
        style = styles(results.enhancers)
        found = [Series(name, style[name], self._summaries(results, name, measure_key)) for name in results.enhancers]
        return [one for one in found if one.summaries]

    def _summaries(self, results: Results, enhancer: str, measure_key: str) -> dict[str, Summary]:
        at_level: dict[str, list[float]] = {level: [] for level in self.levels}
        for clip, value in finite_values(results, enhancer, measure_key).items():
            if self.of_clip.get(clip) in at_level:
                at_level[self.of_clip[clip]].append(value)
        return {level: summarize(values) for level, values in at_level.items() if values}


def condition_title(key: str) -> str:
    """Return what people read for a condition, with its unit."""
    name, unit = _name(key)
    return f"{name}, {unit}" if unit else name


def condition_text(key: str, value: Condition) -> tuple[str, str]:
    """Return the name of a condition and its value with the unit."""
    name, unit = _name(key)
    return name, f"{level_text(value)} {unit}".rstrip()


def level_text(value: Condition) -> str:
    """Return what people read for a level."""
    return value if isinstance(value, str) else f"{value:.6g}".replace("-", "−")


def breakdowns(results: Results) -> list[Breakdown]:
    """Return a breakdown for each condition in which the clips differ: the SNR, other numbers, names."""
    of_clip: dict[str, dict[str, Condition]] = {}
    for row in results:
        for key, value in row.conditions.items():
            of_clip.setdefault(key, {})[row.clip] = value
    found = [one for key in of_clip if (one := _breakdown(key, of_clip[key])) is not None]
    return sorted(found, key=lambda one: (one.key != "snr_db", one.places is None))


def _name(key: str) -> tuple[str, str]:
    return _NAMES.get(key, (key.replace("_", " "), ""))


def _breakdown(key: str, values: dict[str, Condition]) -> Breakdown | None:
    if len(set(values.values())) < 2:
        return None
    numbers = {clip: float(value) for clip, value in values.items() if not isinstance(value, str)}
    if len(numbers) == len(values) and all(isfinite(number) for number in numbers.values()):
        return _of_numbers(key, numbers)
    return _of_names(key, {clip: level_text(value) for clip, value in values.items()})


def _of_numbers(key: str, numbers: dict[str, float]) -> Breakdown:
    distinct = sorted(set(numbers.values()))
    if len(distinct) <= _MOST_NUMBERS:
        level: Callable[[float], float] = float
    else:
        width = (distinct[-1] - distinct[0]) / _BINS

        def level(value: float) -> float:
            return distinct[0] + (min(floor((value - distinct[0]) / width), _BINS - 1) + 0.5) * width

    binned = len(distinct) > _MOST_NUMBERS
    places = sorted({level(value) for value in distinct})
    text = {place: level_text(float(f"{place:.2g}") if binned else place) for place in places}
    of_clip = {clip: text[level(value)] for clip, value in numbers.items()}
    title = condition_title(key) + (" (middles of ranges)" if binned else "")
    return Breakdown(key, title, tuple(text.values()), tuple(places), of_clip)


def _of_names(key: str, names: dict[str, str]) -> Breakdown | None:
    ordered: Sequence[str] = [name for name, _ in Counter(names.values()).most_common()]
    if len(ordered) == len(names) > _MOST_NAMES:
        # A name for every clip divides nothing.
        return None
    shown = tuple(ordered[:_MOST_NAMES])
    return Breakdown(key, condition_title(key), shown, None, names, len(ordered) - len(shown))
