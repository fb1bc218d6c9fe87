"""Where the microphones of an array are."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidParameterError
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.grid import is_whole

MOST_MICROPHONES = 64
CLOSEST_M = 1e-4
LARGEST_M = 10.0
"""Across an array: positions in centimetres or millimetres are beyond it."""
MIDDLE_SPEED_M_S = 343.2
FLAT = 1e-3
"""Extent of an array in a direction, in parts of its largest, below which it cannot tell sides apart."""


@dataclass(frozen=True, eq=False)
class ArrayGeometry:
    """Positions of microphones, in the order of the channels.

    Parameters
    ----------
    positions_m : array_like [microphones, 3] or [microphones, 2]
        In metres; directions are told as seen from their mean. See ``unmuffle.array.Direction`` for the axes.
    name : str, default "array"
        Used in messages.

    Raises
    ------
    InvalidParameterError
        If there are fewer than 2 or more than 64 microphones, two of them in one place, a number that is not finite,
        or positions more than 10 m apart.

    Examples
    --------
    >>> ArrayGeometry.linear(4, 0.05).aperture_m
    0.15
    """

    positions_m: FloatArray
    name: str = "array"

    def __post_init__(self) -> None:
        try:
            given = np.array(self.positions_m, np.float64)
        except (TypeError, ValueError) as error:
            raise InvalidParameterError(
                f"the positions of {self.name} are not numbers in rows of 3: {error}"
            ) from error
        if given.ndim != 2 or given.shape[1] not in (2, 3):
            raise InvalidParameterError(
                f"the positions of {self.name} have shape {list(given.shape)}; they must be [microphones, 3], in metres"
            )
        positions = np.zeros((len(given), 3))
        positions[:, : given.shape[1]] = given
        if not np.isfinite(positions).all():
            raise InvalidParameterError(f"the positions of {self.name} hold NaN or infinity: give metres")
        if len(positions) == 1:
            raise InvalidParameterError(
                "one microphone is no array: use unmuffle.enhance, or 'unmuffle enhance', for a single channel"
            )
        if not 2 <= len(positions) <= MOST_MICROPHONES:
            raise InvalidParameterError(
                f"{self.name} has {len(positions)} microphones; it must have 2 to {MOST_MICROPHONES}"
            )
        object.__setattr__(self, "positions_m", positions)
        self._check_distances()
        positions.setflags(write=False)

    def _check_distances(self) -> None:
        apart = self.distances_m
        if apart.max() > LARGEST_M:
            raise InvalidParameterError(
                f"{self.name} is {apart.max():g} m across, more than {LARGEST_M:g} m: positions are to be in metres"
            )
        first, second = np.nonzero(np.triu(apart < CLOSEST_M, 1))
        if first.size:
            raise InvalidParameterError(
                f"microphones {first[0]} and {second[0]} of {self.name} are in one place: correct or drop one of them"
            )

    @property
    def microphones(self) -> int:
        """How many there are."""
        return len(self.positions_m)

    @property
    def centred_m(self) -> FloatArray:
        """Positions as seen from their mean, float64 [microphones, 3]."""
        return self.positions_m - self.positions_m.mean(axis=0)

    @property
    def distances_m(self) -> FloatArray:
        """Distance of each pair, float64 [microphones, microphones]."""
        return np.sqrt(np.square(self.positions_m[:, None] - self.positions_m[None]).sum(axis=-1))

    @property
    def aperture_m(self) -> float:
        """Largest distance of two microphones."""
        return round(float(self.distances_m.max()), 9)

    @property
    def spacing_m(self) -> float:
        """Mean distance of a microphone to the one next to it."""
        apart = self.distances_m + np.diag(np.full(self.microphones, np.inf))
        return float(apart.min(axis=1).mean())

    @property
    def dimensions(self) -> int:
        """1 where all microphones lie on a line, 2 in a plane, else 3."""
        extents = np.linalg.svd(self.centred_m, compute_uv=False)
        return int((extents > FLAT * extents[0]).sum())

    @property
    def aliasing_hz(self) -> float:
        """Frequency above which half a wave is shorter than the spacing, so that beams have ghosts."""
        return MIDDLE_SPEED_M_S / (2.0 * self.spacing_m)

    def aliasing_warning(self, sample_rate: int, *, speech_to_hz: float = 4_000.0) -> str | None:
        """Return what to tell of spatial aliasing within the main band of speech, or None."""
        if self.aliasing_hz >= min(speech_to_hz, sample_rate / 2.0):
            return None
        return (
            f"spatial aliasing above {self.aliasing_hz:.0f} Hz: at {100 * self.spacing_m:.1f} cm from microphone to "
            "microphone a beam has ghosts there; bring them nearer, or use a mask- method, which needs no geometry"
        )

    def subset(self, chosen: npt.ArrayLike) -> ArrayGeometry:
        """Return the array of the microphones in a mask or list of indices."""
        return ArrayGeometry(self.positions_m[np.asarray(chosen)], self.name)

    def check_channels(self, channels: int) -> None:
        """Raise ``InvalidParameterError`` if a recording has not as many channels as there are microphones."""
        if channels == 1:
            raise InvalidParameterError(
                "the recording has a single channel, and space needs two: use unmuffle.enhance or 'unmuffle enhance'"
            )
        if channels != self.microphones:
            raise InvalidParameterError(
                f"{self.name} has {self.microphones} microphones and the recording {channels} channels: give the "
                "geometry of those that were recorded, in the order of the channels"
            )

    @classmethod
    def linear(cls, microphones: int, spacing_m: float, name: str = "linear") -> ArrayGeometry:
        """Return microphones along the x axis, so many metres from one to the next."""
        return cls(_centred(_count(microphones), spacing_m)[:, None] * np.array([1.0, 0.0, 0.0]), name)

    @classmethod
    def circular(
        cls, microphones: int, radius_m: float, *, centre: bool = False, start_deg: float = 0.0, name: str = "circular"
    ) -> ArrayGeometry:
        """Return microphones on a circle in the x-y plane, the first at an azimuth, with one in the centre if told."""
        count = _count(microphones)
        angles = np.deg2rad(start_deg) + 2.0 * np.pi * np.arange(count) / count
        ring = radius_m * np.stack((np.cos(angles), np.sin(angles), np.zeros(count)), axis=1)
        return cls(np.concatenate((np.zeros((1, 3)), ring)) if centre else ring, name)

    @classmethod
    def planar(cls, columns: int, rows: int, spacing_m: float, name: str = "planar") -> ArrayGeometry:
        """Return a grid in the x-y plane, row by row from the lowest y."""
        x, y = np.meshgrid(_centred(_count(columns), spacing_m), _centred(_count(rows), spacing_m))
        return cls(np.stack((x.ravel(), y.ravel(), np.zeros(x.size)), axis=1), name)

    @classmethod
    def spherical(cls, microphones: int, radius_m: float, name: str = "spherical") -> ArrayGeometry:
        """Return microphones spread evenly over an open sphere, along a Fibonacci spiral."""
        count = _count(microphones)
        z = 1.0 - (2.0 * np.arange(count) + 1.0) / count
        angle = np.pi * (3.0 - np.sqrt(5.0)) * np.arange(count)
        level = np.sqrt(1.0 - z * z)
        return cls(radius_m * np.stack((level * np.cos(angle), level * np.sin(angle), z), axis=1), name)


GeometryLike = ArrayGeometry | str | os.PathLike[str]


def _count(number: int) -> int:
    if not is_whole(number) or not 1 <= number <= MOST_MICROPHONES:
        raise InvalidParameterError(f"{number!r} is no number of microphones: 1 to {MOST_MICROPHONES}")
    return int(number)


def _centred(count: int, spacing_m: float) -> FloatArray:
    return spacing_m * (np.arange(count) - (count - 1) / 2.0)
