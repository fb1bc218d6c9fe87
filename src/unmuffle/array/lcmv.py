"""Linearly constrained minimum variance (LCMV): least noise, with the response to several directions prescribed.

O. L. Frost, "An algorithm for linearly constrained adaptive array processing", Proc. IEEE 60(8), 1972, in its form for
narrow bands: w = R^-1 C (C^H R^-1 C)^-1 g. Where two of the directions are as good as one, as at low frequencies, the
inner inverse is regularised, so that nulls give way there rather than weights grow.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.array.beamformer import FixedBeamformer
from unmuffle.array.covariance import LOADING_DB, check_loading, diagonal_loaded, diffuse_covariance
from unmuffle.array.directions import Direction, DirectionLike, as_directions
from unmuffle.array.geometry import GeometryLike
from unmuffle.array.geometry_files import as_geometry
from unmuffle.array.mvdr import mvdr_weights
from unmuffle.array.noise_sample import noise_covariance
from unmuffle.array.postfilter_choice import make_post_filter
from unmuffle.array.steering import TEMPERATURE_C, steering_vectors
from unmuffle.errors import InvalidParameterError
from unmuffle.process.processor import NonFinite
from unmuffle.signal.arrays import ComplexArray, FloatArray
from unmuffle.signal.grid import grid_for

WORST_CONDITION = 1e4


def lcmv_weights(constraints: ComplexArray, wanted: FloatArray, noise: ComplexArray) -> ComplexArray:
    """Return the weights of least noise with the responses that are wanted.

    Parameters
    ----------
    constraints : complex [bins, microphones, directions]
        Steering vectors; the first is that of the voice.
    wanted : complex [directions]
        Response to each, the first 1.
    noise : complex [bins, microphones, microphones]
        Covariance of the noise, positive definite.

    Returns
    -------
    complex128 [bins, microphones]
        For w^H x. Where the directions cannot be told apart, the MVDR weights of the first.
    """
    solved = np.linalg.solve(noise, constraints)
    inner = constraints.conj().swapaxes(-1, -2) @ solved
    weights = mvdr_weights(constraints[..., 0], noise)
    # A bin in which two columns are all but parallel cannot keep one of them and null the other.
    apart = np.linalg.cond(inner) < WORST_CONDITION
    target = np.broadcast_to(np.conj(wanted)[:, None], (int(apart.sum()), len(wanted), 1))
    weights[apart] = (solved[apart] @ np.linalg.solve(inner[apart], target))[..., 0]
    return weights


class Lcmv(FixedBeamformer):
    """Keeps a direction and takes out others.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    geometry : ArrayGeometry, str or path
        Of the microphones, in the order of the channels; or the name or file of it.
    toward : Direction, float or str, default 90
        Of the voice; see ``Direction``.
    nulls : str or sequence of Direction, default ""
        Directions to take out, as text with semicolons between them; fewer than there are microphones.
    noise : float [microphones, samples], optional
        Noise alone, at least 0.25 s; without it, noise that comes evenly from all sides.
    loading_db : float, default -40
        See ``diagonal_loaded``.
    postfilter : {"none", "zelinski", "mccowan"}, default "none"
        What takes out noise that the beam has left; see ``unmuffle.array.postfilter_choice``.
    temperature_c : float, default 20
        Of the air, -50 to 60 degrees Celsius.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Raises
    ------
    InvalidParameterError
        If there are as many nulls as microphones, or the geometry or a parameter is not as above.
    InvalidAudioError
        If the noise has another number of channels, is too short or silent, or holds speech.
    """

    def __init__(
        self,
        sample_rate: int,
        geometry: GeometryLike,
        *,
        toward: DirectionLike = 90.0,
        nulls: str | tuple[Direction, ...] = "",
        noise: npt.ArrayLike | None = None,
        loading_db: float = LOADING_DB,
        postfilter: str = "none",
        temperature_c: float = TEMPERATURE_C,
        nonfinite: NonFinite = "raise",
    ) -> None:
        array = as_geometry(geometry)
        others = as_directions(nulls) if isinstance(nulls, str) else tuple(nulls)
        if len(others) >= array.microphones:
            raise InvalidParameterError(
                f"{array.microphones} microphones can take out {array.microphones - 1} directions, not {len(others)}"
            )
        frequencies_hz = grid_for(sample_rate).frequencies_hz
        constraints = np.stack(
            [steering_vectors(array, at, frequencies_hz, temperature_c=temperature_c) for at in (toward, *others)],
            axis=-1,
        )
        if noise is None:
            covariance = diffuse_covariance(array, frequencies_hz, temperature_c=temperature_c)
        else:
            covariance = noise_covariance(noise, sample_rate, array.microphones)
        wanted = np.zeros(1 + len(others))
        wanted[0] = 1.0
        weights = lcmv_weights(constraints, wanted, diagonal_loaded(covariance, check_loading(loading_db)))
        super().__init__(sample_rate, weights, nonfinite=nonfinite)
        self.post_filter = make_post_filter(postfilter, self.grid, array, toward, temperature_c)
