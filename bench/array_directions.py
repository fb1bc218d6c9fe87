"""Where voices are found in simulated rooms, and how far that is off."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.array_rooms import RATE, Scene
from unmuffle.array import FoundDirection, localize, track_directions

METHODS = ("norm-music", "srp-phat", "gcc-phat")
FOLLOWED = "norm-music, every 0.25 s"
NEAR_DEG = 5.0

Errors = dict[str, list[tuple[float, float]]]
"""Of each method and answer, in degrees of azimuth, and as they would be in front of a line."""


def direction_errors(scene: Scene) -> Errors:
    """Return by how much each method is off, of the recording as a whole and of answers every quarter of a second."""
    mixture, geometry = scene.mixture, scene.geometry
    errors = {
        method: [_off(found, scene.azimuth_deg) for found in localize(mixture, RATE, geometry, method=method)]
        for method in METHODS
    }
    followed = track_directions(mixture, RATE, geometry, every_s=0.25, memory_s=0.5)
    return errors | {FOLLOWED: [_off(found, scene.azimuth_deg) for found in followed]}


def _off(found: FoundDirection, azimuth_deg: float) -> tuple[float, float]:
    azimuth = found.direction.azimuth_deg
    cosines = np.cos(np.deg2rad([azimuth, azimuth_deg]))
    return abs((azimuth - azimuth_deg + 180.0) % 360.0 - 180.0), float(np.rad2deg(abs(np.diff(cosines)[0])))


def summarized(scenes: list[Errors]) -> list[dict[str, Any]]:
    """Return a row for each method: the median, what 9 of 10 are within, and the share that is within 5 degrees."""
    rows = []
    for method in scenes[0]:
        degrees, in_front = np.array([error for scene in scenes for error in scene[method]]).T
        rows.append(
            {
                "method": method,
                "median_deg": round(float(np.median(degrees)), 2),
                "nine_of_ten_deg": round(float(np.percentile(degrees, 90)), 2),
                "near_share": round(float((degrees <= NEAR_DEG).mean()), 3),
                "in_front_median_deg": round(float(np.median(in_front)), 2),
            }
        )
    return rows
