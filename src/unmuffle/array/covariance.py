"""Spatial covariance matrices: of a sample, over time, of a diffuse field; and their diagonal loading.

The coherence of a spherically isotropic field is that of R. K. Cook et al., "Measurement of correlation coefficients in
reverberant sound fields", JASA 27(6), 1955: sin(kd) / kd.
"""

from __future__ import annotations

import numpy as np

from unmuffle.array.geometry import ArrayGeometry
from unmuffle.array.steering import TEMPERATURE_C, speed_of_sound
from unmuffle.errors import InvalidParameterError
from unmuffle.signal.arrays import ComplexArray, FloatArray

LOADING_DB = -40.0
LEAST_POWER = 1e-30
"""Mean power of a microphone below which a covariance is that of silence."""


def outer_products(spectra: ComplexArray) -> ComplexArray:
    """Return x x^H of each bin of frames [frames, microphones, bins], complex128 [frames, bins, mics, mics]."""
    vectors = spectra.astype(np.complex128).swapaxes(-1, -2)
    return vectors[..., :, None] * vectors[..., None, :].conj()


def weighted_covariance(spectra: ComplexArray, weights: FloatArray) -> ComplexArray:
    """Return the sum over frames of weights [frames, bins] times x x^H, complex128 [bins, mics, mics]."""
    vectors = np.ascontiguousarray(spectra.transpose(2, 1, 0), np.complex128)
    weighted = vectors * weights.T[:, None, :]
    return weighted @ vectors.conj().swapaxes(-1, -2)


def diagonal_loaded(covariance: ComplexArray, loading_db: float = LOADING_DB) -> ComplexArray:
    """Return covariances with a share of their mean power added to the diagonal.

    Parameters
    ----------
    covariance : complex [..., microphones, microphones]
    loading_db : float, default -40
        Power of the noise that is added, relative to the mean power of the microphones in each bin.
    """
    size = covariance.shape[-1]
    mean = np.trace(covariance, axis1=-2, axis2=-1).real / size
    added = np.maximum(mean * 10.0 ** (loading_db / 10.0), LEAST_POWER)
    return covariance + added[..., None, None] * np.eye(size)


def check_loading(loading_db: float) -> float:
    """Return a loading in dB, or raise if it is not -120 to 40."""
    if not -120.0 <= loading_db <= 40.0:
        raise InvalidParameterError(f"loading_db is {loading_db!r}; it must be -120 to 40 dB, for instance -40")
    return float(loading_db)


def diffuse_covariance(
    geometry: ArrayGeometry, frequencies_hz: FloatArray, *, temperature_c: float = TEMPERATURE_C
) -> ComplexArray:
    """Return the covariance of noise that comes evenly from all sides, of power 1; complex128 [bins, mics, mics]."""
    waves = 2.0 * np.asarray(frequencies_hz, np.float64)[:, None, None] / speed_of_sound(temperature_c)
    return np.sinc(waves * geometry.distances_m).astype(np.complex128)


def mean_power(covariance: ComplexArray) -> FloatArray:
    """Return the mean power of the microphones, float64 [...] of covariances [..., microphones, microphones]."""
    return np.trace(covariance, axis1=-2, axis2=-1).real / covariance.shape[-1]


class RecursiveCovariance:
    """Covariances that follow a stream: each frame counts by its weight, and the past is forgotten.

    A frame of weight 0 forgets nothing: a long pause leaves what is known of the voice.

    Parameters
    ----------
    bins, microphones : int
    pole : float
        Of the recursive average, 0 to 1, for frames of weight 1.
    """

    def __init__(self, bins: int, microphones: int, pole: float) -> None:
        self.value: ComplexArray = np.zeros((bins, microphones, microphones), np.complex128)
        self._seen: FloatArray = np.zeros(bins)
        self._pole = pole

    def update(self, products: ComplexArray, weights: FloatArray) -> None:
        """Take the products x x^H of a frame [bins, mics, mics] in, with weights [bins] from 0 to 1.

        The first frames are averaged plainly, so that the start is not remembered as silence.
        """
        share = (1.0 - self._pole) * weights
        self._seen = (1.0 - share) * self._seen + share
        # The share of this frame in all that has been seen so far.
        step = share / np.maximum(self._seen, 1e-12)
        self.value += step[:, None, None] * (products - self.value)

    def reset(self) -> None:
        """Forget all."""
        self.value[:] = 0.0
        self._seen[:] = 0.0
