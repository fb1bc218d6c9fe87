"""What air takes from sound on its way: ISO 9613-1 (1993), "Attenuation of sound during propagation outdoors", part 1.

Equations 3 to 5 and B.2, B.3, at the pressure of the sea level.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

REFERENCE_K, TRIPLE_POINT_K = 293.15, 273.16


def air_absorption_db(
    frequency_hz: ArrayLike, celsius: float = 20.0, humidity_percent: float = 50.0
) -> NDArray[np.float64]:
    """Return what a metre of air absorbs, in dB, at frequencies in Hz; it grows with the square of the frequency."""
    square = np.square(np.asarray(frequency_hz, np.float64))
    kelvin = celsius + 273.15
    warmth = kelvin / REFERENCE_K
    saturation = 10 ** (-6.8346 * (TRIPLE_POINT_K / kelvin) ** 1.261 + 4.6151)
    vapour = humidity_percent * saturation
    oxygen_hz = 24 + 4.04e4 * vapour * (0.02 + vapour) / (0.391 + vapour)
    nitrogen_hz = warmth**-0.5 * (9 + 280 * vapour * np.exp(-4.170 * (warmth ** (-1 / 3) - 1)))
    oxygen = 0.01275 * np.exp(-2_239.1 / kelvin) / (oxygen_hz + square / oxygen_hz)
    nitrogen = 0.1068 * np.exp(-3_352.0 / kelvin) / (nitrogen_hz + square / nitrogen_hz)
    return np.asarray(8.686 * square * (1.84e-11 * warmth**0.5 + warmth**-2.5 * (oxygen + nitrogen)))
