"""Parameters as clients send them: text that is checked before anything is done with it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from unmuffle.presets import list_presets
from unmuffle.serve.errors_http import ApiError

AUTO = "auto"


def preset_in(given: str | None, *, or_auto: bool = False) -> str | None:
    """Return the name of a preset that ships, or None where none is given.

    A client never names a file of ours: presets in files of one's own are for those who have the machine.

    Parameters
    ----------
    given : str or None
    or_auto : bool, default False
        Whether the caller takes "auto", too; it is then named among those that there are.

    Raises
    ------
    ApiError
        422 if there is none of the name; the message lists what there is.
    """
    if given is None or given == "":
        return None
    names = [preset.name for preset in list_presets()]
    if given not in names:
        if given == AUTO:
            raise ApiError(
                422, f"preset auto needs the whole file before it begins; here, name one: {', '.join(names)}"
            )
        known = [*names, AUTO] if or_auto else names
        raise ApiError(422, f"there is no preset {given[:50]!r}; there are: {', '.join(known)}")
    return given


def number_in(given: object, name: str, least: float, most: float) -> float:
    """Return a number in a range from text or JSON.

    Raises
    ------
    ApiError
        422 if it is none.
    """
    try:
        value = float(given) if isinstance(given, (str, int, float)) and not isinstance(given, bool) else math.nan
    except (ValueError, OverflowError):
        value = math.nan
    if not least <= value <= most:
        raise ApiError(422, f"{name} is {str(given)[:50]!r}; it must be a number from {least:g} to {most:g}")
    return value


def only_known(given: Mapping[str, object], known: tuple[str, ...]) -> None:
    """Refuse a parameter that there is not, so that a slip of the pen is not taken for the default.

    Raises
    ------
    ApiError
        422 if there is one.
    """
    for name in given:
        if name not in known:
            raise ApiError(422, f"there is no parameter {name[:50]!r}; there are: {', '.join(known)}")
