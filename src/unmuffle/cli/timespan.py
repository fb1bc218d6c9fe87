"""Times and spans as people write them."""

from __future__ import annotations

import re
from pathlib import Path

from unmuffle.errors import InvalidParameterError

_TIME = r"(?:\d+:){0,2}\d+(?:\.\d+)?"
_SPAN = re.compile(rf"({_TIME})-({_TIME})")


def parse_time(text: str) -> float:
    """Return seconds for ``90``, ``1:30``, ``0:01:30.5``.

    >>> parse_time("1:02:03.5")
    3723.5
    """
    seconds = 0.0
    for part in text.split(":"):
        seconds = 60.0 * seconds + float(part)
    return seconds


def parse_noise_profile(text: str) -> tuple[float, float] | str:
    """Return the span in seconds for ``0:00-0:01.5``, or the path if that is what was meant.

    Raises
    ------
    InvalidParameterError
        If it is neither a span nor a file that exists, or the span ends before it starts.
    """
    if Path(text).is_file():
        return text
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise InvalidParameterError(
            f"--noise-profile {text!r} is neither a file that exists nor a span such as 0:00-0:01.5"
        )
    start, end = (parse_time(time) for time in found.groups())
    if end <= start:
        raise InvalidParameterError(f"--noise-profile {text!r} ends before it starts")
    return start, end
