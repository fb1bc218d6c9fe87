"""What a measure is, what it gave, and how several are taken of the same audio."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any, TypeAlias

from unmuffle.errors import UnmuffleError


@dataclass(frozen=True)
class Measure:
    """A measure as tables, thresholds and files name it.

    Attributes
    ----------
    key : str
        What data files and thresholds call it, for instance ``"si_sdr_db"``.
    name, unit : str
        What people read; the unit is empty for a plain number.
    more_is_better : bool or None
        None where more is neither better nor worse.
    decimals : int
        How many a table shows.
    package : str
        Which package computes it.
    """

    key: str
    name: str
    unit: str = ""
    more_is_better: bool | None = True
    decimals: int = 2
    package: str = "unmuffle"

    @property
    def title(self) -> str:
        """The name with its unit, and which way it is better where less is."""
        unit = f", {self.unit}" if self.unit else ""
        return f"{self.name}{unit}{' (less is better)' if self.more_is_better is False else ''}"

    @property
    def implementation(self) -> str:
        """The package and its version, or that it is not installed."""
        try:
            return f"{self.package} {metadata.version(self.package)}"
        except metadata.PackageNotFoundError:
            return f"{self.package} (not installed)"

    def format(self, value: float | None) -> str:
        """Return a value as a table shows it, ``-`` for none."""
        return "-" if value is None else f"{value:.{self.decimals}f}"


@dataclass(frozen=True)
class Score:
    """What a measure gave: a value, or the reason why there is none."""

    measure: Measure
    value: float | None
    why_not: str | None = None


Taker: TypeAlias = Callable[..., "float | tuple[float, ...]"]
"""Computes one value, or as many as there are measures beside it in a table."""

Table: TypeAlias = Sequence[tuple[Taker, tuple[Measure, ...]]]
"""What is taken, with what comes of one computation taken together."""


def measures_of(table: Table) -> tuple[Measure, ...]:
    """Return the measures of a table in its order."""
    return tuple(measure for _, measures in table for measure in measures)


def take(table: Table, arguments: tuple[Any, ...], keys: Collection[str] | None = None) -> list[Score]:
    """Call what a table holds, and turn a measure that cannot work on this audio into a score that tells why.

    Parameters
    ----------
    table : sequence of (callable, measures)
        In the order of the result.
    arguments : tuple
        What each callable is given.
    keys : collection of str, optional
        Only the measures of these keys; a computation none of whose measures is wanted is not made.
    """
    scores: list[Score] = []
    for function, measures in table:
        wanted = [keys is None or measure.key in keys for measure in measures]
        if not any(wanted):
            continue
        values, why_not = _values(function, arguments, len(measures))
        found = (Score(measure, value, why_not) for measure, value in zip(measures, values, strict=True))
        scores += [score for score, is_wanted in zip(found, wanted, strict=True) if is_wanted]
    return scores


def _values(function: Taker, arguments: tuple[Any, ...], count: int) -> tuple[tuple[float | None, ...], str | None]:
    try:
        found = function(*arguments)
    except UnmuffleError as error:
        return (None,) * count, str(error)
    return found if isinstance(found, tuple) else (found,), None
