"""Checks that the processors of levels share."""

from __future__ import annotations

from unmuffle.errors import InvalidParameterError


def within(name: str, value: float, low: float, high: float) -> float:
    """Return a setting as a float, or raise ``InvalidParameterError`` if it is not from ``low`` to ``high``."""
    if not low <= value <= high:
        raise InvalidParameterError(f"{name} is {value!r}; it must be from {low:g} to {high:g}")
    return float(value)
