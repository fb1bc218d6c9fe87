"""TOML by the parser that the version of Python has, imported when there is something to parse."""

from __future__ import annotations

import sys
from typing import Any


def parse_toml(text: str) -> dict[str, Any]:
    """Return the entries of a text in TOML.

    Raises
    ------
    ValueError
        If it is none.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(text)
