"""What post-filters of arrays share: a Wiener gain from how alike the microphones are once the voice is in step.

All of them estimate the power of the voice as a weighted sum of the auto- and cross-powers of the microphones, and
divide it by their mean power. The recursive average over time and that sum can be exchanged, so a quadratic form of
each frame is averaged in place of a matrix.
"""

from __future__ import annotations

from math import isfinite

import numpy as np

from unmuffle.errors import InvalidParameterError
from unmuffle.signal.arrays import ComplexArray, FloatArray
from unmuffle.signal.grid import Grid

FLOOR_DB = -15.0
SMOOTHING_S = 0.06
LEAST_POWER = 1e-20


class PostFilter:
    """Gains for the output of a beam, 0 to 1, from the frames that went into it.

    Parameters
    ----------
    grid : Grid
        Of the frames.
    steering : complex [bins, microphones]
        What the microphones receive of the voice: it is taken out, so that they are in step and alike.
    voice : float [bins, microphones, microphones]
        Symmetric weights of the auto- and cross-powers of what is in step, whose sum is the power of the voice.
    smoothing_s : float, default 0.06
        Time constant of the powers in seconds, 0.005 to 10.
    floor_db : float, default -15
        The least gain, -60 to 0 dB.

    Raises
    ------
    InvalidParameterError
        If a parameter is out of its range.
    """

    def __init__(
        self,
        grid: Grid,
        steering: ComplexArray,
        voice: FloatArray,
        *,
        smoothing_s: float = SMOOTHING_S,
        floor_db: float = FLOOR_DB,
    ) -> None:
        if not 0.005 <= smoothing_s <= 10.0:
            raise InvalidParameterError(f"smoothing_s is {smoothing_s!r}; it must be 0.005 to 10 s, for instance 0.06")
        if not (isfinite(floor_db) and -60.0 <= floor_db <= 0.0):
            raise InvalidParameterError(f"floor_db is {floor_db!r}; it must be -60 to 0 dB, for instance -15")
        self._in_step: ComplexArray = 1.0 / steering.T.astype(np.complex128)
        self._voice_weights = voice.astype(np.float64)
        self._pole = grid.smoothing(smoothing_s)
        self._floor = 10.0 ** (floor_db / 20.0)
        self._voice: FloatArray = np.zeros(grid.bins)
        self._all: FloatArray = np.zeros(grid.bins)

    def gains(self, spectra: ComplexArray) -> FloatArray:
        """Return the gains of the next frames, float64 [frames, bins], of frames [frames, microphones, bins]."""
        alike = (spectra * self._in_step).transpose(2, 0, 1)
        voice = (alike.conj() * (alike @ self._voice_weights)).real.sum(axis=2).T
        every = (alike.real**2 + alike.imag**2).mean(axis=2).T
        gains = np.empty(voice.shape)
        for frame, (power_of_voice, power) in enumerate(zip(voice, every, strict=True)):
            # Both begin at 0 and so keep their ratio: there is nothing to make up for at the start.
            self._voice += (1.0 - self._pole) * (power_of_voice - self._voice)
            self._all += (1.0 - self._pole) * (power - self._all)
            gains[frame] = self._voice / np.maximum(self._all, LEAST_POWER)
        return np.clip(gains, self._floor, 1.0, out=gains)

    def reset(self) -> None:
        """Forget the past."""
        self._voice[:] = 0.0
        self._all[:] = 0.0
