"""Phasors of hum as centres of clusters of measurements, and whether they are there at all.

Relative to the phase of the fundamental the phasor of each harmonic stands still as long as the hum does, while what a
voice adds scatters. It is found as an M-estimate of location with Cauchy weights (P. J. Huber, "Robust Statistics",
1981, ch. 4 and 7), whose scale in each frame is the power measured beside the harmonic: loud speech holds an estimate
where it is instead of pulling at it.

A harmonic is present if the measurements are likelier around its phasor than around zero, by the same distribution:
clearly so over the memory in order to begin, and not otherwise over the nearest frames in order to stay.
"""

from __future__ import annotations

import numpy as np

from unmuffle.signal.arrays import BoolArray, ComplexArray, FloatArray

OVERLAP = 3.2
"""Frames of four periods every 25 ms: so many together tell as much as one that overlaps none."""

LOW_HARMONICS = 10
"""Hum has its strongest line among these."""

_MEMORY_S = 1.0
_BEGIN_NATS = 9.0
_NEAREST_S = 0.4
_STAY_NATS = -0.5
_LEAST_WEIGHT = 1e-30
_LOUDEST_HIGH = 10.0


class PhasorClusters:
    """The phasors of all harmonics at one place of a history of measurements.

    Parameters
    ----------
    ages_s : float [frames]
        How old each frame of the history is.
    at_s : float
        The age of the place: 0 for now; at a greater age later frames tell as much as earlier ones.
    shape : tuple of int
        Rows and harmonics.

    Attributes
    ----------
    centres : complex64 [rows, harmonics]
    present : bool [rows, harmonics]
    evidence : float32 [rows, harmonics]
        For the presence, in nats.
    phasors : complex64 [rows, harmonics]
        The centres that are present, each shrunk by the share of it that may be chance; zero elsewhere.
    """

    def __init__(self, ages_s: FloatArray, at_s: float, shape: tuple[int, int]) -> None:
        distances_s = np.abs(ages_s - at_s)
        self._memory: FloatArray = np.exp(-distances_s / _MEMORY_S).astype(np.float32)
        step_s = abs(float(ages_s[1] - ages_s[0]))
        nearest = np.argsort(distances_s, kind="stable")[: round(_NEAREST_S / step_s)]
        self._nearest = slice(int(nearest.min()), int(nearest.max()) + 1)
        self.centres: ComplexArray = np.zeros(shape, np.complex64)
        self.present: BoolArray = np.zeros(shape, np.bool_)
        self.evidence: FloatArray = np.zeros(shape, np.float32)
        self.phasors: ComplexArray = np.zeros(shape, np.complex64)

    def update(self, phasors: ComplexArray, noise: FloatArray, rounds: int = 1, *, linked: bool = False) -> None:
        """Find centres and presence anew in a history [frames, rows, harmonics].

        ``linked`` rows are present together.
        """
        self._look_near(phasors[self._nearest], noise[self._nearest])
        memory = self._memory[:, None, None]
        for _ in range(rounds):
            weights = memory / (noise + _power(phasors - self.centres))
            total = weights.sum(axis=0) + np.float32(_LEAST_WEIGHT)
            self.centres = (weights * phasors).sum(axis=0) / total
        strength = _power(self.centres)
        certain = strength / (strength + np.float32(OVERLAP) / total)
        around_centre = np.log1p(_power(phasors - self.centres) / noise)
        gains = (np.log1p(_power(phasors) / noise) - around_centre) / np.float32(OVERLAP)
        if linked:
            gains = np.broadcast_to(gains.sum(axis=1, keepdims=True), gains.shape)
        self.evidence = (memory * gains).sum(axis=0)
        lately = gains[self._nearest].sum(axis=0)
        begins = (self.evidence >= _BEGIN_NATS) & (lately > 0.0)
        heard = (self.present | begins) & (lately >= _STAY_NATS)
        # A tone that towers above the low harmonics, like one of 1 kHz, is not one of theirs.
        low = np.where(heard, strength, 0.0)[:, :LOW_HARMONICS].max(axis=1, keepdims=True)
        self.present = heard & (strength <= _LOUDEST_HIGH * low)
        self.phasors = np.where(self.present, self.centres * certain, 0)

    def _look_near(self, phasors: ComplexArray, noise: FloatArray) -> None:
        """Begin at the mean of the nearest frames where it suits them better and nothing was present so far.

        A hum that has just begun would else be taken for strays around the cluster of zeros before it.
        """
        weights = 1.0 / noise
        mean = (weights * phasors).sum(axis=0) / (weights.sum(axis=0) + np.float32(_LEAST_WEIGHT))
        around_mean = np.log1p(_power(phasors - mean) / noise).sum(axis=0)
        around_centre = np.log1p(_power(phasors - self.centres) / noise).sum(axis=0)
        self.centres = np.where(~self.present & (around_mean < around_centre), mean, self.centres)


def _power(phasors: ComplexArray) -> FloatArray:
    power: FloatArray = phasors.real**2 + phasors.imag**2
    return power
