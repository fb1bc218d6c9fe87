"""Superdirective filter and sum: MVDR against diffuse noise, as far as the noise of the microphones allows.

H. Cox, R. M. Zeskind and T. Kooij, "Practical supergain", IEEE Trans. ASSP 34(3), 1986: the loading of the diagonal is
raised in each frequency until the gain against white noise is no less than a bound.
"""

from __future__ import annotations

import numpy as np

from unmuffle.array.beamformer import FixedBeamformer
from unmuffle.array.covariance import diffuse_covariance
from unmuffle.array.das import das_weights
from unmuffle.array.directions import DirectionLike
from unmuffle.array.geometry import GeometryLike
from unmuffle.array.geometry_files import as_geometry
from unmuffle.array.mvdr import mvdr_weights
from unmuffle.array.postfilter_choice import make_post_filter
from unmuffle.array.steering import TEMPERATURE_C, steering_vectors
from unmuffle.errors import InvalidParameterError
from unmuffle.process.processor import NonFinite
from unmuffle.signal.arrays import ComplexArray, FloatArray
from unmuffle.signal.grid import grid_for

MIN_WNG_DB = -10.0
_LEAST, _MOST = 1e-9, 1e6
_HALVINGS = 40


def superdirective_weights(
    steering: ComplexArray, diffuse: ComplexArray, min_wng_db: float = MIN_WNG_DB
) -> ComplexArray:
    """Return the weights of highest directivity whose gain against white noise keeps a bound.

    Parameters
    ----------
    steering : complex [bins, microphones]
    diffuse : complex [bins, microphones, microphones]
        Covariance of the diffuse field, see ``diffuse_covariance``.
    min_wng_db : float, default -10
        Bound in dB; what no array reaches gives delay and sum.

    Returns
    -------
    complex128 [bins, microphones]
        For w^H x.
    """
    bound = 10.0 ** (min_wng_db / 10.0)
    low = np.full(len(steering), np.log(_LEAST))
    high = np.full(len(steering), np.log(_MOST))
    # The gain grows with the loading, so the smallest that is enough lies between two bounds that close in.
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        enough = _white_gain(_loaded_weights(steering, diffuse, np.exp(middle))) >= bound
        high = np.where(enough, middle, high)
        low = np.where(enough, low, middle)
    weights = _loaded_weights(steering, diffuse, np.exp(high))
    unreached = _white_gain(weights) < bound * (1.0 - 1e-6)
    weights[unreached] = das_weights(steering)[unreached]
    return weights


def _loaded_weights(steering: ComplexArray, diffuse: ComplexArray, loading: FloatArray) -> ComplexArray:
    return mvdr_weights(steering, diffuse + loading[:, None, None] * np.eye(steering.shape[1]))


def _white_gain(weights: ComplexArray) -> FloatArray:
    return 1.0 / (weights.real**2 + weights.imag**2).sum(axis=1)


class Superdirective(FixedBeamformer):
    """Filter and sum of high directivity for small arrays in diffuse noise.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    geometry : ArrayGeometry, str or path
        Of the microphones, in the order of the channels; or the name or file of it.
    toward : Direction, float or str, default 90
        Of the voice; see ``Direction``.
    min_wng_db : float, default -10
        -40 to 20: the least gain against white noise. Below 0 the microphones' own noise is raised where that buys
        directivity.
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
    """

    def __init__(
        self,
        sample_rate: int,
        geometry: GeometryLike,
        *,
        toward: DirectionLike = 90.0,
        min_wng_db: float = MIN_WNG_DB,
        postfilter: str = "none",
        temperature_c: float = TEMPERATURE_C,
        nonfinite: NonFinite = "raise",
    ) -> None:
        if not -40.0 <= min_wng_db <= 20.0:
            raise InvalidParameterError(f"min_wng_db is {min_wng_db!r}; it must be -40 to 20 dB, for instance -10")
        array = as_geometry(geometry)
        frequencies_hz = grid_for(sample_rate).frequencies_hz
        steering = steering_vectors(array, toward, frequencies_hz, temperature_c=temperature_c)
        diffuse = diffuse_covariance(array, frequencies_hz, temperature_c=temperature_c)
        super().__init__(sample_rate, superdirective_weights(steering, diffuse, min_wng_db), nonfinite=nonfinite)
        self.post_filter = make_post_filter(postfilter, self.grid, array, toward, temperature_c)
