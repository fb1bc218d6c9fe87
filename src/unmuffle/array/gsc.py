"""Generalised sidelobe canceller (GSC): what the other directions hold is predicted and taken off, as it changes.

L. J. Griffiths and C. W. Jim, "An alternative approach to linearly constrained adaptive beamforming", IEEE Trans. AP
30(1), 1982, in the frequency domain: delay and sum above, below it a matrix whose rows are blind to the direction of
the voice, and a filter from one to the other that learns by normalised least mean squares. What a wrong direction and
reverberation let leak is contained by bounding the filter (H. Cox, R. M. Zeskind and M. M. Owen, "Robust adaptive
beamforming", IEEE Trans. ASSP 35(10), 1987), and by learning only from what the network does not take for voice.
"""

from __future__ import annotations

import numpy as np

from unmuffle.array.beamformer import Beamformer, apply_weights
from unmuffle.array.das import das_weights
from unmuffle.array.directions import DirectionLike
from unmuffle.array.geometry import GeometryLike
from unmuffle.array.geometry_files import as_geometry
from unmuffle.array.masks import NetworkMasks
from unmuffle.array.postfilter_choice import make_post_filter
from unmuffle.array.steering import TEMPERATURE_C, steering_vectors
from unmuffle.errors import InvalidParameterError
from unmuffle.process.processor import NonFinite
from unmuffle.signal.arrays import ComplexArray, FloatArray

POWER_MEMORY_S = 0.1
LEAST_POWER = 1e-20


class SidelobeCanceller(Beamformer):
    """Generalised sidelobe canceller toward a known direction.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    geometry : ArrayGeometry, str or path
        Of the microphones, in the order of the channels; or the name or file of it.
    toward : Direction, float or str, default 90
        Of the voice; see ``Direction``.
    step : float, default 0.05
        0 to 1: how fast the filter learns; 0 leaves delay and sum.
    max_norm : float, default 1
        Above 0, at most 100: bound on the length of the filter, as a vector over the microphones.
    wait_for_voice : bool, default True
        Learn only from what the network takes for noise. Without, it learns all the time, as where no voice leaks.
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
    ModelError
        If ``wait_for_voice`` and there is no model.
    """

    def __init__(
        self,
        sample_rate: int,
        geometry: GeometryLike,
        *,
        toward: DirectionLike = 90.0,
        step: float = 0.05,
        max_norm: float = 1.0,
        wait_for_voice: bool = True,
        postfilter: str = "none",
        temperature_c: float = TEMPERATURE_C,
        nonfinite: NonFinite = "raise",
    ) -> None:
        array = as_geometry(geometry)
        super().__init__(sample_rate, array.microphones, nonfinite=nonfinite)
        if not 0.0 <= step <= 1.0:
            raise InvalidParameterError(f"step is {step!r}; it must be 0 to 1, for instance 0.05")
        if not 0.0 < max_norm <= 100.0:
            raise InvalidParameterError(f"max_norm is {max_norm!r}; it must be above 0, at most 100")
        self._learning, self._max_norm = step, max_norm
        steering = steering_vectors(array, toward, self.grid.frequencies_hz, temperature_c=temperature_c)
        self._fixed = das_weights(steering)
        self._blocking = blocking_matrices(steering)
        self._masks = NetworkMasks(self.grid, self.channels) if wait_for_voice else None
        self._filter: ComplexArray = np.zeros((self.grid.bins, self.channels - 1), np.complex128)
        self._power: FloatArray = np.zeros(self.grid.bins)
        self._pole = self.grid.smoothing(POWER_MEMORY_S)
        self.post_filter = make_post_filter(postfilter, self.grid, array, toward, temperature_c)

    def _start_over(self) -> None:
        self._filter[:] = 0.0
        self._power[:] = 0.0
        if self._masks is not None:
            self._masks.reset()

    def _combine(self, spectra: ComplexArray) -> ComplexArray:
        above = apply_weights(self._fixed, spectra).astype(np.complex128)
        below = np.einsum("knm,fmk->fkn", self._blocking, spectra)
        noise = np.ones(above.shape) if self._masks is None else self._masks.masks(spectra)[1]
        for frame, (side, share) in enumerate(zip(below, noise, strict=True)):
            above[frame] -= (self._filter.conj() * side).sum(axis=1)
            self._learn(side, above[frame], share)
        return above

    def _learn(self, side: ComplexArray, left: ComplexArray, share: FloatArray) -> None:
        power = (side.real**2 + side.imag**2).sum(axis=1)
        # No less than now, so that a step is never too long.
        self._power = np.maximum(power, self._pole * self._power)
        step = self._learning * share / np.maximum(self._power, LEAST_POWER)
        self._filter += (step * left.conj())[:, None] * side
        norm = np.sqrt((self._filter.real**2 + self._filter.imag**2).sum(axis=1))
        self._filter *= (self._max_norm / np.maximum(norm, self._max_norm))[:, None]


def blocking_matrices(steering: ComplexArray) -> ComplexArray:
    """Return orthonormal rows that are blind to a direction, complex128 [bins, microphones - 1, microphones]."""
    _, _, rows = np.linalg.svd(steering.conj()[:, None, :])
    return rows[:, 1:, :]
