"""The directions that are scanned, and the peaks among them.

Directions are laid out so that what an array cannot tell apart is scanned once: microphones on a line see a cone, so
only azimuths of 0 to 180 are scanned; those in a plane do not tell above from below, so elevations begin at 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np

from unmuffle.array.directions import Direction, unit_vectors
from unmuffle.array.geometry import ArrayGeometry
from unmuffle.errors import InvalidParameterError
from unmuffle.signal.arrays import BoolArray, FloatArray

MOST_DIRECTIONS = 40_000


@dataclass(frozen=True)
class ScanGrid:
    """Directions to look into.

    Attributes
    ----------
    azimuths_deg, elevations_deg : float64 [directions]
    vectors : float64 [directions, 3]
        Unit vectors that point there.
    """

    azimuths_deg: FloatArray
    elevations_deg: FloatArray
    vectors: FloatArray

    def direction(self, index: int) -> Direction:
        """Return one of them."""
        return Direction(float(self.azimuths_deg[index]), float(self.elevations_deg[index]))


def scan_grid(geometry: ArrayGeometry, step_deg: float = 1.0, *, elevation: bool = False) -> ScanGrid:
    """Return the directions that an array can tell apart.

    Parameters
    ----------
    geometry : ArrayGeometry
    step_deg : float, default 1
        0.2 to 30.
    elevation : bool, default False
        Scan elevations as well: only what is not on a line can tell them, and much more time is taken.
    """
    if not (isfinite(step_deg) and 0.2 <= step_deg <= 30.0):
        raise InvalidParameterError(f"step_deg is {step_deg!r}; it must be 0.2 to 30 degrees")
    line = geometry.dimensions == 1
    if line and elevation:
        raise InvalidParameterError(
            f"the microphones of {geometry.name} lie on a line, which tells no elevation: locate without it"
        )
    if line and not on_x_axis(geometry):
        raise InvalidParameterError(
            f"the microphones of {geometry.name} lie on a line that is not parallel to x: give positions along x"
        )
    azimuths = np.arange(0.0, 180.0 + step_deg / 2.0, step_deg) if line else np.arange(0.0, 360.0, step_deg)
    if not elevation:
        level = np.zeros(azimuths.size)
        return ScanGrid(azimuths, level, unit_vectors(azimuths, level))
    lowest = -90.0 if geometry.dimensions == 3 else 0.0
    all_azimuths, all_elevations = np.meshgrid(azimuths, np.arange(lowest, 90.0 + step_deg / 2.0, step_deg))
    if all_azimuths.size > MOST_DIRECTIONS:
        raise InvalidParameterError(
            f"{all_azimuths.size:,} directions are too many; with elevation, a step of 3 degrees is enough"
        )
    flat = all_azimuths.ravel(), np.minimum(all_elevations.ravel(), 90.0)
    return ScanGrid(*flat, unit_vectors(*flat))


def on_x_axis(geometry: ArrayGeometry) -> bool:
    """Return whether all microphones lie on a line along x."""
    return bool(np.abs(geometry.centred_m[:, 1:]).max() <= 1e-3 * geometry.aperture_m)


def find_peaks(spectrum: FloatArray, grid: ScanGrid, sources: int, separation_deg: float) -> list[int]:
    """Return the indices of the highest values [directions] that are so far from each other, highest first."""
    left = spectrum.astype(np.float64).copy()
    closeness = np.cos(np.deg2rad(separation_deg))
    found: list[int] = []
    for _ in range(sources):
        best = int(left.argmax())
        if not isfinite(left[best]):
            break
        found.append(best)
        left[grid.vectors @ grid.vectors[best] > closeness] = -np.inf
        # The flanks of a peak go on falling away from it: only what rises again is another one.
        left[np.logical_not(_is_peak(spectrum, grid))] = -np.inf
    return found


def _is_peak(spectrum: FloatArray, grid: ScanGrid) -> BoolArray:
    """Whether a value is no lower than those beside it in azimuth."""
    rows = spectrum.reshape(-1, np.unique(grid.azimuths_deg).size)
    before, after = np.roll(rows, 1, axis=1), np.roll(rows, -1, axis=1)
    if grid.azimuths_deg.max() <= 180.0:
        before[:, 0] = after[:, -1] = -np.inf
    return np.logical_and(rows >= before, rows >= after).ravel()


def refined_azimuth(spectrum: FloatArray, grid: ScanGrid, index: int) -> float:
    """Return the azimuth of a peak in degrees, by a parabola through it and its neighbours."""
    size = np.unique(grid.azimuths_deg).size
    start, place = index // size * size, index % size
    row = spectrum[start : start + size]
    whole = grid.azimuths_deg.max() > 180.0
    azimuth = float(grid.azimuths_deg[index])
    if size < 3 or (not whole and place in (0, size - 1)):
        return azimuth
    before, here, after = (float(row[(place + shift) % size]) for shift in (-1, 0, 1))
    bend = before - 2.0 * here + after
    shift = 0.5 * (before - after) / bend if bend < 0.0 else 0.0
    return azimuth + float(np.clip(shift, -0.5, 0.5)) * float(grid.azimuths_deg[1] - grid.azimuths_deg[0])
