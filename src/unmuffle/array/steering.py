"""Steering vectors: how a wave from a direction arrives at each microphone.

In the far field a plane wave reaches the microphone at r, seen from the centre of the array, (r . u) / c earlier than
the centre, where u points to the source (H. L. Van Trees, "Optimum array processing", 2002, eq. 2.28). Nearby the wave
is a sphere around the source, earlier by (D - |s - r|) / c and stronger by D / |s - r|, with s and D the place and
distance of the source. Phases are those of a transform with e^(-j w t).
"""

from __future__ import annotations

from math import isfinite, sqrt

import numpy as np

from unmuffle.array.directions import Direction, DirectionLike, as_direction
from unmuffle.array.geometry import ArrayGeometry
from unmuffle.errors import InvalidParameterError
from unmuffle.signal.arrays import ComplexArray, FloatArray

TEMPERATURE_C = 20.0


def speed_of_sound(temperature_c: float = TEMPERATURE_C) -> float:
    """Return the speed of sound in dry air in m/s, for -50 to 60 degrees Celsius.

    That of an ideal gas, 331.3 m/s at 0 degrees and growing with the root of the absolute temperature.

    >>> round(speed_of_sound(20.0), 1)
    343.2
    """
    if not (isfinite(temperature_c) and -50.0 <= temperature_c <= 60.0):
        raise InvalidParameterError(f"temperature is {temperature_c!r}; it must be -50 to 60 degrees Celsius")
    return 331.3 * sqrt(1.0 + temperature_c / 273.15)


def delays_s(geometry: ArrayGeometry, direction: DirectionLike, *, temperature_c: float = TEMPERATURE_C) -> FloatArray:
    """Return how much later than at the centre of the array a wave arrives, float64 [microphones] in seconds."""
    return _delays_and_gains(geometry, as_direction(direction), temperature_c)[0]


def steering_vectors(
    geometry: ArrayGeometry,
    direction: DirectionLike,
    frequencies_hz: FloatArray,
    *,
    temperature_c: float = TEMPERATURE_C,
) -> ComplexArray:
    """Return what each microphone receives of a wave that is 1 at the centre of the array.

    Parameters
    ----------
    geometry : ArrayGeometry
    direction : Direction, float or str
        Of the source; with a distance, the wave is a sphere around it.
    frequencies_hz : float [bins]
    temperature_c : float, default 20
        Of the air, which the speed of sound follows.

    Returns
    -------
    complex128 [bins, microphones]

    Raises
    ------
    InvalidParameterError
        If the direction or the temperature is out of range, or the source is at a microphone.
    """
    delays, gains = _delays_and_gains(geometry, as_direction(direction), temperature_c)
    return gains * np.exp(-2j * np.pi * np.asarray(frequencies_hz, np.float64)[:, None] * delays)


def far_field_delays_s(geometry: ArrayGeometry, directions: FloatArray, speed_m_s: float) -> FloatArray:
    """Return the delays of plane waves from unit vectors [directions, 3], float64 [directions, microphones]."""
    return -(directions @ geometry.centred_m.T) / speed_m_s


def _delays_and_gains(
    geometry: ArrayGeometry, direction: Direction, temperature_c: float
) -> tuple[FloatArray, FloatArray]:
    speed = speed_of_sound(temperature_c)
    toward = direction.unit_vector
    if not isfinite(direction.distance_m):
        return far_field_delays_s(geometry, toward[None], speed)[0], np.ones(geometry.microphones)
    ways = np.sqrt(np.square(direction.distance_m * toward - geometry.centred_m).sum(axis=1))
    if ways.min() < 1e-3:
        raise InvalidParameterError(f"the source at {direction} is at microphone {ways.argmin()}: move it away")
    return (ways - direction.distance_m) / speed, direction.distance_m / ways
