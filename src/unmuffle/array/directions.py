"""Directions: azimuth and elevation in degrees.

              y (90)
              |
              |   . voice
              |  /
              | / azimuth, counted from x towards y
    (180) ----+---- x (0)
              |
            (270)

Elevation is counted from the x-y plane, +90 straight along z. It is the convention of pyroomacoustics and of
mathematics, not that of a compass. The microphones of a straight array lie along x, so what is straight in front of it
is at 90, and 0 and 180 are its ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite

import numpy as np

from unmuffle.errors import InvalidParameterError
from unmuffle.signal.arrays import FloatArray


@dataclass(frozen=True)
class Direction:
    """Where a sound comes from, as seen from the centre of an array.

    Attributes
    ----------
    azimuth_deg : float
        -180 to 360, counted from the x axis towards the y axis; kept as 0 up to 360.
    elevation_deg : float, default 0
        -90 to 90, counted from the x-y plane towards the z axis.
    distance_m : float, default infinity
        Above 0; infinity is the far field, in which waves are plane.

    Raises
    ------
    InvalidParameterError
        If a number is out of its range.
    """

    azimuth_deg: float
    elevation_deg: float = 0.0
    distance_m: float = inf

    def __post_init__(self) -> None:
        if not (isfinite(self.azimuth_deg) and -180.0 <= self.azimuth_deg <= 360.0):
            raise InvalidParameterError(f"azimuth is {self.azimuth_deg!r} degrees; it must be -180 to 360")
        if not (isfinite(self.elevation_deg) and -90.0 <= self.elevation_deg <= 90.0):
            raise InvalidParameterError(f"elevation is {self.elevation_deg!r} degrees; it must be -90 to 90")
        if not self.distance_m > 0.0:
            raise InvalidParameterError(f"distance is {self.distance_m!r} m; it must be above 0, or left out if far")
        object.__setattr__(self, "azimuth_deg", float(self.azimuth_deg) % 360.0)

    @property
    def unit_vector(self) -> FloatArray:
        """Unit vector that points from the array to the sound, float64 [3]."""
        return unit_vectors(np.array([self.azimuth_deg]), np.array([self.elevation_deg]))[0]

    def __str__(self) -> str:
        parts = [f"{self.azimuth_deg:.1f} degrees"]
        if self.elevation_deg:
            parts.append(f"elevation {self.elevation_deg:.1f}")
        if isfinite(self.distance_m):
            parts.append(f"{self.distance_m:.2f} m away")
        return ", ".join(parts)


DirectionLike = Direction | float | str


def as_direction(given: DirectionLike) -> Direction:
    """Return a direction from an azimuth, or from text: azimuth, elevation and distance with commas between them.

    Raises
    ------
    InvalidParameterError
        If it is no direction.

    Examples
    --------
    >>> as_direction("30,10"), as_direction(-90).azimuth_deg
    (Direction(azimuth_deg=30.0, elevation_deg=10.0, distance_m=inf), 270.0)
    """
    if isinstance(given, Direction):
        return given
    try:
        numbers = [float(part) for part in str(given).split(",")]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 3:
        raise InvalidParameterError(f"{given!r} is no direction: give degrees such as 30, or azimuth,elevation,metres")
    return Direction(*numbers)


def as_directions(text: str) -> tuple[Direction, ...]:
    """Return the directions of a text that has semicolons or spaces between them; none of an empty one.

    >>> [direction.azimuth_deg for direction in as_directions("30; 120,10")]
    [30.0, 120.0]
    """
    return tuple(as_direction(part) for part in text.replace(";", " ").replace(", ", ",").split())


def unit_vectors(azimuths_deg: FloatArray, elevations_deg: FloatArray) -> FloatArray:
    """Unit vectors that point to directions, float64 [directions, 3]."""
    azimuth, elevation = np.deg2rad(azimuths_deg), np.deg2rad(elevations_deg)
    level = np.cos(elevation)
    return np.stack((level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)), axis=-1)


def angle_between_deg(first: Direction, second: Direction) -> float:
    """Return the angle between two directions in degrees, 0 to 180.

    >>> round(angle_between_deg(Direction(350), Direction(10)), 6)
    20.0
    """
    cosine = float(np.clip(first.unit_vector @ second.unit_vector, -1.0, 1.0))
    return float(np.rad2deg(np.arccos(cosine)))
