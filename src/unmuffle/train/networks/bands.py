"""The bands above 8 kHz, where hearing is coarse: triangles on the ERB-rate scale.

B. R. Glasberg and B. C. J. Moore, "Derivation of auditory filter shapes from notched-noise data", Hearing Research 47,
1990, eq. 4: ERB-rate = 21.4 log10(1 + 0.00437 f).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BIN_HZ = 31.25
CORE_BINS = 256
"""Bins 0 to 255, up to 8 kHz, get complex masks; bin 256, half of 16 kHz, takes the mask of bin 255."""
GRID_BINS = 769
"""Bins up to 24 kHz."""
AIR_BINS = GRID_BINS - CORE_BINS - 1


def erb_rate(frequency_hz: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Number of equivalent rectangular bandwidths below a frequency."""
    return np.asarray(21.4 * np.log10(1 + 0.00437 * frequency_hz))


def air_triangles(bands: int) -> NDArray[np.float32]:
    """Triangles over the bins above 8 kHz, evenly spaced in ERB-rate; float32 [AIR_BINS, bands], rows sum to 1.

    The first and the last stay at 1 towards the edges.
    """
    bins_hz = (CORE_BINS + 1 + np.arange(AIR_BINS)) * BIN_HZ
    edges = erb_rate(np.array([bins_hz[0], bins_hz[-1]]))
    centres = np.linspace(edges[0], edges[1], bands)
    places = erb_rate(bins_hz)
    heights = [np.interp(places, centres, row) for row in np.eye(bands)]
    return np.stack(heights, axis=1).astype(np.float32)


def core_triangles(places: int, positions: int) -> NDArray[np.float32]:
    """Where the reduction from evenly spaced places to band positions starts from; float32 [places, positions].

    Triangles that are one place wide at the bottom and widen upwards as hearing does.
    """
    place_hz = (np.arange(places) + 0.5) * (CORE_BINS * BIN_HZ / places)
    rates = erb_rate(place_hz)
    narrow = _places_wider_than_bands(rates, positions)
    centres = np.concatenate([rates[:narrow], np.linspace(rates[narrow], rates[-1], positions - narrow)])
    heights = [np.interp(rates, centres, row) for row in np.eye(positions)]
    return np.stack(heights, axis=1).astype(np.float32)


def _places_wider_than_bands(rates: NDArray[np.float64], positions: int) -> int:
    """How many places from the bottom are a band each, so that no band is narrower than a place."""
    for narrow in range(positions - 1):
        band = (rates[-1] - rates[narrow]) / (positions - 1 - narrow)
        if band >= rates[narrow + 1] - rates[narrow]:
            return narrow
    return positions - 1
