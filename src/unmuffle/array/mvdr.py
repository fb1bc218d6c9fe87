"""Minimum variance distortionless response (MVDR): least noise, the voice untouched.

J. Capon, "High-resolution frequency-wavenumber spectrum analysis", Proc. IEEE 57(8), 1969: w = R^-1 d / (d^H R^-1 d).
From covariances alone, without geometry: M. Souden, J. Benesty and S. Affes, "On optimal frequency-domain multichannel
linear filtering for noise reduction", IEEE Trans. ASLP 18(2), 2010, eq. 24: w = (R_n^-1 R_s / tr(R_n^-1 R_s)) e_ref.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.array.beamformer import FixedBeamformer
from unmuffle.array.covariance import (
    LOADING_DB,
    check_loading,
    diagonal_loaded,
    diffuse_covariance,
)
from unmuffle.array.directions import DirectionLike
from unmuffle.array.geometry import GeometryLike
from unmuffle.array.geometry_files import as_geometry
from unmuffle.array.noise_sample import noise_covariance
from unmuffle.array.postfilter_choice import make_post_filter
from unmuffle.array.steering import TEMPERATURE_C, steering_vectors
from unmuffle.process.processor import NonFinite
from unmuffle.signal.arrays import ComplexArray
from unmuffle.signal.grid import grid_for


def mvdr_weights(steering: ComplexArray, noise: ComplexArray) -> ComplexArray:
    """Return the weights of least noise that pass a direction unchanged.

    Parameters
    ----------
    steering : complex [bins, microphones]
    noise : complex [bins, microphones, microphones]
        Covariance of the noise, positive definite: see ``diagonal_loaded``.

    Returns
    -------
    complex128 [bins, microphones]
        For w^H x.
    """
    solved = np.linalg.solve(noise, steering[..., None])[..., 0]
    return solved / np.einsum("km,km->k", steering.conj(), solved).real[:, None]


def souden_weights(speech: ComplexArray, noise: ComplexArray, reference: int) -> ComplexArray:
    """Return the MVDR weights of a voice of unknown direction, as it is at one of the microphones.

    Parameters
    ----------
    speech, noise : complex [bins, microphones, microphones]
        Covariances; that of the noise positive definite.
    reference : int
        Microphone whose voice is kept.

    Returns
    -------
    complex128 [bins, microphones]
        For w^H x. Where there is no speech at all they pick out the reference.
    """
    ratio = np.linalg.solve(noise, speech)
    trace = np.trace(ratio, axis1=-2, axis2=-1).real
    known = trace > 1e-9
    weights = ratio[..., reference] / np.where(known, trace, 1.0)[:, None]
    weights[~known] = np.eye(speech.shape[-1])[reference]
    return weights


class Mvdr(FixedBeamformer):
    """MVDR steered to a known direction, against noise that is known from a sample, or diffuse.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    geometry : ArrayGeometry, str or path
        Of the microphones, in the order of the channels; or the name or file of it.
    toward : Direction, float or str, default 90
        Of the voice; see ``Direction``. In the output the voice is as it would be at the centre of the array.
    noise : float [microphones, samples], optional
        Noise alone, at least 0.25 s; without it, noise that comes evenly from all sides.
    loading_db : float, default -40
        See ``diagonal_loaded``: the more, the less a wrong direction or gain harms, and the less noise is taken.
    hops_a_window : int, default 2
        2 for windows and a latency of 32 ms, 4 for 64 ms, which takes out about 1 dB more in rooms.
    postfilter : {"none", "zelinski", "mccowan"}, default "none"
        What takes out noise that the beam has left; see ``unmuffle.array.postfilter_choice``.
    temperature_c : float, default 20
        Of the air, -50 to 60 degrees Celsius.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Raises
    ------
    InvalidParameterError
        If the geometry or a parameter is not as above.
    InvalidAudioError
        If the noise has another number of channels, is too short or silent, or holds speech.
    """

    def __init__(
        self,
        sample_rate: int,
        geometry: GeometryLike,
        *,
        toward: DirectionLike = 90.0,
        noise: npt.ArrayLike | None = None,
        loading_db: float = LOADING_DB,
        hops_a_window: int = 2,
        postfilter: str = "none",
        temperature_c: float = TEMPERATURE_C,
        nonfinite: NonFinite = "raise",
    ) -> None:
        array = as_geometry(geometry)
        frequencies_hz = grid_for(sample_rate, hops_a_window).frequencies_hz
        steering = steering_vectors(array, toward, frequencies_hz, temperature_c=temperature_c)
        if noise is None:
            covariance = diffuse_covariance(array, frequencies_hz, temperature_c=temperature_c)
        else:
            covariance = noise_covariance(noise, sample_rate, array.microphones, hops_a_window=hops_a_window)
        loaded = diagonal_loaded(covariance, check_loading(loading_db))
        weights = mvdr_weights(steering, loaded)
        super().__init__(sample_rate, weights, hops_a_window=hops_a_window, nonfinite=nonfinite)
        self.post_filter = make_post_filter(postfilter, self.grid, array, toward, temperature_c)
