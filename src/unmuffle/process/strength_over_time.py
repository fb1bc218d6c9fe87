"""What a strength was over time, for reports and figures, in bounded memory."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unmuffle.errors import InvalidParameterError, OutputExistsError
from unmuffle.signal.arrays import FloatArray

MOST_POINTS = 4096
_HEADER = ["time_s", "strength"]


@dataclass(frozen=True)
class StrengthOverTime:
    """How much of an effect was heard.

    Attributes
    ----------
    times_s, strengths : tuple of float
        Centres of equal spans of time, and the mean strength in each, 0 to 1; at most 4,096 of them.
    mean : float
        Over all time and all channels.
    untouched_share : float
        Share of the time in which the strength was 0 in every channel, so that the input passed bit for bit.
    """

    times_s: tuple[float, ...]
    strengths: tuple[float, ...]
    mean: float
    untouched_share: float

    @property
    def text(self) -> str:
        """Say it in one line."""
        return f"strength {self.mean:.2f} on average, {100.0 * self.untouched_share:.0f} % of the time untouched"

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return asdict(self)

    def write_csv(self, path: Path, *, overwrite: bool = False) -> None:
        """Write times and strengths as a table.

        Raises
        ------
        OutputExistsError
            If the file exists and is not to be replaced.
        """
        try:
            with path.open("w" if overwrite else "x", newline="", encoding="utf-8") as file:
                table = csv.writer(file)
                table.writerow(_HEADER)
                points = zip(self.times_s, self.strengths, strict=True)
                table.writerows((f"{at:.3f}", f"{value:.4f}") for at, value in points)
        except FileExistsError as error:
            raise OutputExistsError(
                f"{path} already exists: use --overwrite (in Python overwrite=True) to replace it"
            ) from error


def read_strength_csv(path: Path) -> tuple[FloatArray, FloatArray]:
    """Return times in seconds and strengths from a table that ``write_csv`` wrote.

    Raises
    ------
    InvalidParameterError
        If the file cannot be read or holds something else.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        if header != _HEADER:
            raise ValueError(f"its columns are {', '.join(header)}")
        table: FloatArray = np.array([[float(time_s), float(strength)] for time_s, strength in rows])
        if not len(table):
            raise ValueError("it has no rows")
        if not np.isfinite(table).all():
            raise ValueError(f"it holds {table[~np.isfinite(table)][0]}")
    except OSError as error:
        raise InvalidParameterError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise InvalidParameterError(
            f"{path} is no table of strength over time ({error}): give what 'unmuffle enhance --save-strength' wrote"
        ) from error
    return table[:, 0], table[:, 1]


class StrengthTrace:
    """Keeps the strength at the end of each period; where there are too many, means of two, of four, and so on.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    period : int
        Samples from one decision to the next.
    """

    def __init__(self, sample_rate: int, period: int) -> None:
        self._period = period
        self._period_s = period / sample_rate
        self._filled = 0
        self._clear()

    def add(self, shares: FloatArray) -> None:
        """Take in the shares of the next samples, [channels, n]."""
        if self._ended:
            self._clear()
        first = self._period - 1 - self._filled
        decided = shares[:, first :: self._period]
        self._filled = (self._filled + shares.shape[1]) % self._period
        self._untouched += int(np.count_nonzero(~decided.any(axis=0)))
        for value in decided.mean(axis=0, dtype=np.float64).tolist():
            self._add(value)

    def end(self) -> None:
        """End the stream: what comes next is a new one, and until then this one can be asked."""
        self._ended = True

    def result(self) -> StrengthOverTime:
        """Return what is known so far."""
        points = list(self._points)
        if self._open:
            points.append(self._open_sum / self._open)
        span_s = self._together * self._period_s
        return StrengthOverTime(
            times_s=tuple((number + 0.5) * span_s for number in range(len(points))),
            strengths=tuple(points),
            mean=self._sum / self._count if self._count else 1.0,
            untouched_share=self._untouched / self._count if self._count else 0.0,
        )

    def _clear(self) -> None:
        self._points: list[float] = []
        self._together = 1
        self._open, self._open_sum = 0, 0.0
        self._count, self._sum, self._untouched = 0, 0.0, 0
        self._filled = 0
        self._ended = False

    def _add(self, value: float) -> None:
        self._count += 1
        self._sum += value
        self._open += 1
        self._open_sum += value
        if self._open < self._together:
            return
        if len(self._points) == MOST_POINTS:
            even, odd = self._points[::2], self._points[1::2]
            self._points = [0.5 * (one + other) for one, other in zip(even, odd, strict=True)]
            self._together *= 2
            return
        self._points.append(self._open_sum / self._open)
        self._open, self._open_sum = 0, 0.0
