"""Where loudness is to land: named targets, and how what is asked for is understood.

Podcast: AES TD1008 (2021) and Apple's and Spotify's guides for speech. Broadcast: EBU R 128 (2023). ATSC: A/85 (2013),
annex H. Streaming: what the large music services play at.
"""

from __future__ import annotations

from dataclasses import dataclass

from unmuffle.errors import InvalidParameterError
from unmuffle.level.settings import within

LOWEST_LUFS, HIGHEST_LUFS = -60.0, -5.0
LOWEST_DBTP, HIGHEST_DBTP = -20.0, 0.0


@dataclass(frozen=True)
class LoudnessTarget:
    """An integrated loudness, and a ceiling for true peaks.

    Attributes
    ----------
    lufs : float
        -60 to -5.
    true_peak_dbtp : float
        -20 to 0.
    """

    lufs: float
    true_peak_dbtp: float = -1.0

    def __post_init__(self) -> None:
        within("loudness", self.lufs, LOWEST_LUFS, HIGHEST_LUFS)
        within("true_peak", self.true_peak_dbtp, LOWEST_DBTP, HIGHEST_DBTP)


LOUDNESS_TARGETS = {
    "podcast": LoudnessTarget(-16.0, -1.0),
    "broadcast": LoudnessTarget(-23.0, -1.0),
    "atsc": LoudnessTarget(-24.0, -2.0),
    "streaming": LoudnessTarget(-14.0, -1.0),
}


def loudness_target(loudness: float | str, true_peak: float | None = None) -> LoudnessTarget:
    """Return the target that is meant.

    Parameters
    ----------
    loudness : float or str
        LUFS, as a number or its text, or a name of ``LOUDNESS_TARGETS``.
    true_peak : float, optional
        Ceiling in dBTP instead of that of the name; -1 with a number.

    Raises
    ------
    InvalidParameterError
        If the name is not known, or a number is out of its range.

    Examples
    --------
    >>> loudness_target("atsc"), loudness_target("-18", -1.5).true_peak_dbtp
    (LoudnessTarget(lufs=-24.0, true_peak_dbtp=-2.0), -1.5)
    """
    named = LOUDNESS_TARGETS.get(loudness) if isinstance(loudness, str) else None
    target = LoudnessTarget(_number(loudness)) if named is None else named
    return target if true_peak is None else LoudnessTarget(target.lufs, true_peak)


def _number(loudness: float | str) -> float:
    try:
        return float(loudness)
    except (TypeError, ValueError):
        names = ", ".join(LOUDNESS_TARGETS)
        raise InvalidParameterError(
            f"loudness is {loudness!r}; give a number of LUFS, for instance -16, or one of {names}"
        ) from None
