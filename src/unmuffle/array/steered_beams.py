"""A steered beam of any of the microphones of an array, for when some of them are left out."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from math import isfinite

import numpy as np
import numpy.typing as npt

from unmuffle.array.beamformer import Beamformer
from unmuffle.array.choice import BeamChoice
from unmuffle.array.directions import Direction
from unmuffle.array.geometry import ArrayGeometry
from unmuffle.array.noise_sample import noise_covariance
from unmuffle.array.steering import steering_vectors
from unmuffle.process.processor import NonFinite
from unmuffle.signal.arrays import BoolArray, ComplexArray, FloatArray
from unmuffle.signal.grid import grid_for

MOST_KEPT = 4
"""Beams of some of the microphones that are kept for the next time."""


class SteeredBeams:
    """Beams toward one direction, each of some of the microphones, made when they are first wanted.

    The voice is in all of them as it would be at the centre of the whole array.

    Parameters
    ----------
    choice : BeamChoice
        Of a method that is steered.
    sample_rate : int
        In Hz.
    geometry : ArrayGeometry
        Of all microphones.
    toward : Direction
    noise : float [microphones, samples], optional
        See ``Mvdr``.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.
    """

    def __init__(
        self,
        choice: BeamChoice,
        sample_rate: int,
        geometry: ArrayGeometry,
        toward: Direction,
        noise: npt.ArrayLike | None = None,
        nonfinite: NonFinite = "raise",
    ) -> None:
        self._choice, self._rate, self._nonfinite = choice, sample_rate, nonfinite
        self._geometry, self._toward = geometry, toward
        known = noise
        if noise is not None and choice.takes_noise:
            known = noise_covariance(noise, sample_rate, geometry.microphones)
        self.whole = choice.online(sample_rate, geometry.microphones, geometry, toward, known, nonfinite)
        self._noise = None if known is None else np.asarray(known)
        self._some: OrderedDict[bytes, _Part] = OrderedDict()
        self._latest = b""

    def combine(self, spectra: ComplexArray, used: BoolArray) -> ComplexArray:
        """Return the output [frames, bins] of frames [frames, microphones, bins], by some of the microphones."""
        key = b"" if used.all() else used.tobytes()
        if key == b"":
            if self._latest != key:
                self.whole.start_over()
            self._latest = key
            return self.whole.combine(spectra)
        part = self._part(key, used)
        if self._latest != key:
            part.start_over()
        self._latest = key
        return part.combine(spectra[:, used])

    def start_over(self) -> None:
        """Forget the past."""
        self.whole.start_over()
        self._latest = b""

    def _part(self, key: bytes, used: BoolArray) -> _Part:
        if key not in self._some:
            self._some[key] = self._make(used)
        self._some.move_to_end(key)
        if len(self._some) > MOST_KEPT:
            self._some.popitem(last=False)
        return self._some[key]

    def _make(self, used: BoolArray) -> _Part:
        offset_m = self._geometry.centred_m[used].mean(axis=0)
        hz = grid_for(self._rate).frequencies_hz
        # The centre of those that are left, taken for a microphone of the whole array.
        back = 1.0 / _heard_at(offset_m, self._toward, hz, self._choice.temperature_c)
        if used.sum() == 1:
            return _Part(None, back)
        noise = None if self._noise is None else self._noise[:, used][:, :, used]
        left = self._geometry.subset(used)
        beam = self._choice.for_microphones(left.microphones).online(
            self._rate, left.microphones, left, moved(self._toward, offset_m), noise, self._nonfinite
        )
        return _Part(beam, back)


@dataclass(frozen=True)
class _Part:
    """A beam of some microphones, None for a single one, and what takes the voice to the centre of all of them."""

    beam: Beamformer | None
    back: ComplexArray

    def combine(self, spectra: ComplexArray) -> ComplexArray:
        return (spectra[:, 0] if self.beam is None else self.beam.combine(spectra)) * self.back

    def start_over(self) -> None:
        if self.beam is not None:
            self.beam.start_over()


def moved(direction: Direction, offset_m: FloatArray) -> Direction:
    """Return a direction as seen from another place, at an offset [3] in metres; of what is far it is the same."""
    if not isfinite(direction.distance_m):
        return direction
    seen = direction.distance_m * direction.unit_vector - offset_m
    distance = float(np.sqrt(np.square(seen).sum()))
    azimuth = float(np.rad2deg(np.arctan2(seen[1], seen[0])))
    return Direction(azimuth, float(np.rad2deg(np.arcsin(np.clip(seen[2] / distance, -1.0, 1.0)))), distance)


def _heard_at(
    offset_m: FloatArray, toward: Direction, frequencies_hz: FloatArray, temperature_c: float
) -> ComplexArray:
    """Return what is heard of a wave at an offset from the centre where it is 1, complex128 [bins]."""
    if np.abs(offset_m).max() < 1e-4:
        return np.ones(len(frequencies_hz), np.complex128)
    # An array with its centre where the centre is: the place asked for, and its mirror image.
    pair = ArrayGeometry(np.stack((offset_m, -offset_m)))
    return steering_vectors(pair, toward, frequencies_hz, temperature_c=temperature_c)[:, 0]
