"""Delay and sum: the microphones are shifted until a direction is in step, and averaged.

H. L. Van Trees, "Optimum array processing", 2002, section 2.4. Delays are phases of the short-time spectrum, exact to
any fraction of a sample. The gain against white noise is the number of microphones, the most there is.
"""

from __future__ import annotations

from unmuffle.array.beamformer import FixedBeamformer
from unmuffle.array.directions import DirectionLike
from unmuffle.array.geometry import GeometryLike
from unmuffle.array.geometry_files import as_geometry
from unmuffle.array.postfilter_choice import make_post_filter
from unmuffle.array.steering import TEMPERATURE_C, steering_vectors
from unmuffle.process.processor import NonFinite
from unmuffle.signal.arrays import ComplexArray
from unmuffle.signal.grid import grid_for


def das_weights(steering: ComplexArray) -> ComplexArray:
    """Return d / (d^H d), complex128 [bins, microphones], for steering vectors of the same shape."""
    return steering / (steering.real**2 + steering.imag**2).sum(axis=1, keepdims=True)


class DelayAndSum(FixedBeamformer):
    """Delay and sum.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    geometry : ArrayGeometry, str or path
        Of the microphones, in the order of the channels; or the name or file of it.
    toward : Direction, float or str, default 90
        Of the voice; see ``Direction``. In the output the voice is as it would be at the centre of the array.
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
        postfilter: str = "none",
        temperature_c: float = TEMPERATURE_C,
        nonfinite: NonFinite = "raise",
    ) -> None:
        array = as_geometry(geometry)
        frequencies_hz = grid_for(sample_rate).frequencies_hz
        steering = steering_vectors(array, toward, frequencies_hz, temperature_c=temperature_c)
        super().__init__(sample_rate, das_weights(steering), nonfinite=nonfinite)
        self.post_filter = make_post_filter(postfilter, self.grid, array, toward, temperature_c)
