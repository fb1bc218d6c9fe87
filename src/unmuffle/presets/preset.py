"""Presets: chains with a name, for a purpose, as data in TOML files, ours beside this module and users' anywhere.

summary = "one line on what it is for"
loudness_lufs = -16.0      # of whole files, with true_peak_dbtp; left out where nothing is to be normalised
true_peak_dbtp = -1.0

[[stage]]
name = "highpass"
cutoff_hz = 80
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from unmuffle.errors import InvalidParameterError
from unmuffle.presets.chain import StageChoice, check_order
from unmuffle.toml import parse_toml

HOME = Path(__file__).parent / "shipped"
SUFFIX = ".toml"
DEFAULT_TRUE_PEAK_DBTP = -1.0


@dataclass(frozen=True)
class Preset:
    """A chain for a purpose.

    Attributes
    ----------
    name, summary : str
    chain : tuple of StageChoice
        In the order in which they work.
    loudness_lufs : float or None
        Integrated loudness that files are brought to.
    true_peak_dbtp : float
        Ceiling that goes with it.
    """

    name: str
    summary: str
    chain: tuple[StageChoice, ...]
    loudness_lufs: float | None = None
    true_peak_dbtp: float = DEFAULT_TRUE_PEAK_DBTP


def list_presets() -> tuple[Preset, ...]:
    """Return the presets that come with the package, by name."""
    return tuple(read_preset(path) for path in sorted(HOME.glob(f"*{SUFFIX}")))


def find_preset(name: str | os.PathLike[str]) -> Preset:
    """Return a preset by name, or from a TOML file.

    Raises
    ------
    InvalidParameterError
        If there is none of that name, or the file cannot be read or does not fit.
    """
    return read_preset(preset_file(name))


def preset_file(name: str | os.PathLike[str]) -> Path:
    """Return the file of a preset.

    Raises
    ------
    InvalidParameterError
        If there is none of that name.
    """
    if isinstance(name, os.PathLike) or str(name).lower().endswith(SUFFIX):
        return Path(name)
    path = HOME / f"{name.strip().lower()}{SUFFIX}"
    names = [known.stem for known in sorted(HOME.glob(f"*{SUFFIX}"))]
    if path.stem not in names:
        close = get_close_matches(path.stem, names, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise InvalidParameterError(
            f"there is no preset {name!r}{hint}; there are {', '.join(names)}, and files whose names end in {SUFFIX}"
        )
    return path


def read_preset(path: Path) -> Preset:
    """Read a preset from a file.

    Raises
    ------
    InvalidParameterError
        With the name of the file and what is wrong in it.
    """
    entries = dict(_read_toml(path))
    try:
        stages = entries.pop("stage", None)
        if not isinstance(stages, list) or not stages:
            raise InvalidParameterError("it has no [[stage]]")
        chain = check_order([_choice(stage) for stage in stages])
        summary = entries.pop("summary", "")
        loudness_lufs = _number(entries, "loudness_lufs", None)
        true_peak_dbtp = _number(entries, "true_peak_dbtp", DEFAULT_TRUE_PEAK_DBTP)
        if entries:
            raise InvalidParameterError(
                f"it has an entry {next(iter(entries))!r}; a preset has summary, loudness_lufs, true_peak_dbtp, stage"
            )
    except InvalidParameterError as error:
        raise InvalidParameterError(f"{path}: {error}") from error
    return Preset(path.stem, str(summary), chain, loudness_lufs, true_peak_dbtp or DEFAULT_TRUE_PEAK_DBTP)


def _choice(entries: Mapping[str, Any]) -> StageChoice:
    if not isinstance(entries, dict) or not isinstance(entries.get("name"), str):
        raise InvalidParameterError("every [[stage]] must have a name")
    return StageChoice(entries["name"], {key: value for key, value in entries.items() if key != "name"})


def _number(entries: dict[str, Any], name: str, default: float | None) -> float | None:
    value = entries.pop(name, default)
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise InvalidParameterError(f"{name} is {value!r}; it must be a number")
    return value


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return parse_toml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidParameterError(f"{path}: the preset cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise InvalidParameterError(f"{path}: the preset is no TOML: {error}") from error
