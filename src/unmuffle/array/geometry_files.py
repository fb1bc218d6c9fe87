"""Geometries by name and from files.

In TOML either positions or a shape, all in metres:

    positions_m = [[0.0, 0.0, 0.0], [0.05, 0.0, 0.0]]

    shape = "linear"       # microphones, spacing_m
    shape = "circular"     # microphones, radius_m, centre = false, start_deg = 0
    shape = "planar"       # columns, rows, spacing_m
    shape = "spherical"    # microphones, radius_m

In CSV a row ``x,y,z`` for each microphone; a first row that holds no numbers is taken for names of the columns.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from unmuffle.array.geometry import ArrayGeometry, GeometryLike
from unmuffle.errors import InvalidParameterError
from unmuffle.toml import parse_toml

HOME = Path(__file__).parent / "presets"

SHAPES: Mapping[str, Callable[..., ArrayGeometry]] = {
    "linear": ArrayGeometry.linear,
    "circular": ArrayGeometry.circular,
    "planar": ArrayGeometry.planar,
    "spherical": ArrayGeometry.spherical,
}


def list_geometries() -> tuple[str, ...]:
    """Return the names of the arrays that come with the package."""
    return tuple(path.stem for path in sorted(HOME.glob("*.toml")))


def as_geometry(given: GeometryLike) -> ArrayGeometry:
    """Return a geometry, by name or from a TOML or CSV file unless it is one already.

    Raises
    ------
    InvalidParameterError
        If there is none of that name, or the file cannot be read or does not fit.
    """
    if isinstance(given, ArrayGeometry):
        return given
    if not isinstance(given, (str, os.PathLike)):
        raise InvalidParameterError(
            f"a geometry is a name, a .toml or .csv, or an ArrayGeometry, not {type(given).__name__}: of positions in "
            "metres make ArrayGeometry(positions_m)"
        )
    suffix = Path(given).suffix.lower()
    if suffix in (".toml", ".csv"):
        return read_geometry(given)
    name = str(given).strip().lower()
    if name not in list_geometries():
        near = get_close_matches(name, list_geometries(), 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InvalidParameterError(
            f"there is no array {given!r}: {hint}choose among {', '.join(list_geometries())}, or give a .toml or .csv"
        )
    return read_geometry(HOME / f"{name}.toml")


def read_geometry(path: str | os.PathLike[str]) -> ArrayGeometry:
    """Read a geometry from a TOML or CSV file.

    Raises
    ------
    InvalidParameterError
        If the file cannot be read or does not fit.
    """
    place = Path(path)
    try:
        text = place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidParameterError(f"{place} cannot be read as a geometry: {error}") from error
    if place.suffix.lower() == ".csv":
        return ArrayGeometry(_rows(text, place), place.stem)  # type: ignore[arg-type]
    try:
        entries = parse_toml(text)
    except ValueError as error:
        raise InvalidParameterError(f"{place} is no TOML: {error}") from error
    return _from_entries(entries, place)


def _rows(text: str, place: Path) -> list[list[float]]:
    rows = [row for row in csv.reader(text.splitlines()) if any(cell.strip() for cell in row)]
    found = []
    for number, row in enumerate(rows):
        try:
            found.append([float(cell) for cell in row])
        except ValueError as error:
            if number == 0:
                continue
            raise InvalidParameterError(f"{place}: row {number + 1} is no position x,y,z in metres: {row}") from error
    return found


def _from_entries(entries: dict[str, Any], place: Path) -> ArrayGeometry:
    options = {key: value for key, value in entries.items() if key not in ("summary", "name")}
    name = str(entries.get("name", place.stem))
    if "positions_m" in options:
        return ArrayGeometry(options["positions_m"], name)
    shape = options.pop("shape", None)
    make = SHAPES.get(str(shape))
    if make is None:
        raise InvalidParameterError(
            f"{place}: needs positions_m = [[x, y, z], ...], or shape = one of {', '.join(SHAPES)}, not {shape!r}"
        )
    try:
        return make(**options, name=name)
    except TypeError as error:
        wanted = str(error).partition(") ")[2] or str(error)
        raise InvalidParameterError(f"{place}: {shape} does not fit: {wanted}") from error
