"""What a beam does in all directions: pattern, directivity index, white-noise gain.

After M. Brandstein and D. Ward (eds.), "Microphone arrays", 2001, section 2.2: the white-noise gain is |w^H d|^2 /
w^H w, the directivity |w^H d|^2 / w^H G w with the covariance G of a diffuse field.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unmuffle.array.beamformer import response
from unmuffle.array.covariance import diffuse_covariance
from unmuffle.array.directions import DirectionLike, unit_vectors
from unmuffle.array.geometry import ArrayGeometry
from unmuffle.array.steering import TEMPERATURE_C, far_field_delays_s, speed_of_sound, steering_vectors
from unmuffle.signal.arrays import ComplexArray, FloatArray

LEAST_DB = -60.0


@dataclass(frozen=True)
class BeamPattern:
    """How a beam hears.

    Attributes
    ----------
    frequencies_hz : float64 [bins]
    azimuths_deg : float64 [directions]
    gain_db : float64 [bins, directions]
        Response to each direction in the x-y plane, at least -60 dB.
    directivity_db, white_noise_gain_db : float64 [bins]
        Gain of the SNR in diffuse noise, and against noise of the microphones.
    """

    frequencies_hz: FloatArray
    azimuths_deg: FloatArray
    gain_db: FloatArray
    directivity_db: FloatArray
    white_noise_gain_db: FloatArray


def white_noise_gain(weights: ComplexArray, steering: ComplexArray) -> FloatArray:
    """Return the gain against noise of the microphones, float64 [bins], not in dB."""
    return np.abs(response(weights, steering)) ** 2 / (weights.real**2 + weights.imag**2).sum(axis=1)


def directivity(weights: ComplexArray, steering: ComplexArray, diffuse: ComplexArray) -> FloatArray:
    """Return the gain of the SNR in diffuse noise of that covariance, float64 [bins], not in dB."""
    noise = np.einsum("km,kmn,kn->k", weights.conj(), diffuse, weights).real
    return np.abs(response(weights, steering)) ** 2 / np.maximum(noise, 1e-12)


def beam_pattern(
    weights: ComplexArray,
    geometry: ArrayGeometry,
    frequencies_hz: FloatArray,
    toward: DirectionLike,
    *,
    step_deg: float = 2.0,
    temperature_c: float = TEMPERATURE_C,
) -> BeamPattern:
    """Return how a beam hears.

    Parameters
    ----------
    weights : complex [bins, microphones]
    geometry : ArrayGeometry
    frequencies_hz : float [bins]
    toward : Direction, float or str
        Direction of the voice, which directivity and white-noise gain refer to.
    step_deg : float, default 2
        From one azimuth to the next.
    temperature_c : float, default 20
        Of the air.
    """
    hz = np.asarray(frequencies_hz, np.float64)
    azimuths = np.arange(0.0, 360.0 + step_deg / 2.0, step_deg)
    vectors = unit_vectors(azimuths, np.zeros(azimuths.size))
    delays = far_field_delays_s(geometry, vectors, speed_of_sound(temperature_c))
    heard = np.einsum("km,kdm->kd", weights.conj(), np.exp(-2j * np.pi * hz[:, None, None] * delays))
    steering = steering_vectors(geometry, toward, hz, temperature_c=temperature_c)
    diffuse = diffuse_covariance(geometry, hz, temperature_c=temperature_c)
    return BeamPattern(
        hz,
        azimuths,
        np.maximum(_db(np.abs(heard) ** 2), LEAST_DB),
        _db(directivity(weights, steering, diffuse)),
        _db(white_noise_gain(weights, steering)),
    )


def _db(power: FloatArray) -> FloatArray:
    return 10.0 * np.log10(np.maximum(power, 1e-12))
