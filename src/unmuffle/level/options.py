"""Levels over frequency as one option of text: ``"250:20,1000:35,4000:60"``."""

from __future__ import annotations

import numpy as np

from unmuffle.errors import InvalidParameterError
from unmuffle.signal.arrays import FloatArray


def parse_levels(name: str, text: str, low_db: float, high_db: float) -> tuple[FloatArray, FloatArray]:
    """Return frequencies in Hz, rising, and levels in dB, float64 [points] each.

    Raises
    ------
    InvalidParameterError
        If a pair is no two numbers, a frequency comes twice or not above 0, or a level is outside its range.

    Examples
    --------
    >>> parse_levels("audiogram", "1000:30, 250:20", -10, 120)
    (array([ 250., 1000.]), array([20., 30.]))
    """
    pairs = dict(_pair(name, item, low_db, high_db) for item in text.split(","))
    if len(pairs) != text.count(",") + 1:
        raise InvalidParameterError(f"{name} {text!r} names a frequency twice: give each once")
    frequencies = np.array(sorted(pairs))
    return frequencies, np.array([pairs[hz] for hz in frequencies])


def _pair(name: str, item: str, low_db: float, high_db: float) -> tuple[float, float]:
    try:
        hz, level_db = (float(part) for part in item.split(":"))
    except ValueError:
        raise InvalidParameterError(
            f"{name} holds {item.strip()!r}; it must be pairs of Hz and dB as in '250:20,1000:35,4000:60'"
        ) from None
    if not (0.0 < hz < np.inf and low_db <= level_db <= high_db):
        raise InvalidParameterError(
            f"{name} holds {item.strip()!r}; frequencies must be above 0 Hz and levels {low_db:g} to {high_db:g} dB"
        )
    return hz, level_db
