"""Amplitude and phase of the multiples of a frequency in short frames, and the noise beside them.

A frame is four periods of the mains long under a Hann window, so that each multiple lies in the zeros of all the
others, and the points halfway between two multiples in the zeros of both: they see what is not hum.
"""

from __future__ import annotations

import numpy as np

from unmuffle.signal.arrays import ComplexArray, FloatArray

PERIODS = 4

_STEP_HZ = 0.005
"""The frequency analysed at is rounded to this: at the 40th multiple the error is 0.025 rad at the frame's ends."""

_LEAST_SHARE = 1e-4
_LEAST_POWER = 1e-16


class HarmonicAnalyzer:
    """Measures the multiples 1 to ``harmonics`` of a frequency near the mains' nominal one.

    Parameters
    ----------
    nominal_hz : float
        Sets the length of the frames.
    rate_hz : float
        Of the samples.
    harmonics : int
        How many multiples.
    """

    def __init__(self, nominal_hz: float, rate_hz: float, harmonics: int) -> None:
        self.nominal_hz = nominal_hz
        self.rate_hz = rate_hz
        self.harmonics = harmonics
        self.size = round(PERIODS / nominal_hz * rate_hz)
        window = np.hanning(self.size + 2)[1:-1]
        self._window = (2.0 * window / window.sum()).astype(np.float32)
        self._times = (np.arange(self.size) - 0.5 * (self.size - 1)) / rate_hz
        self._analyzed_hz = 0.0
        self._kernel: FloatArray = np.zeros((0, 0), np.float32)

    def measure(self, frames: FloatArray, hz: float) -> tuple[ComplexArray, FloatArray]:
        """Return the phasors at the multiples of a frequency and the power of the noise in each.

        Parameters
        ----------
        frames : float32 [rows, size]
            A sine of amplitude 1 has a phasor of magnitude 1, its phase being that in the middle of the frame.
        hz : float
            The fundamental.

        Returns
        -------
        phasors : complex64 [rows, harmonics]
        noise : float32 [rows, harmonics]
            Expected squared magnitude of what is not a line.
        """
        kernel = self._kernel_at(round(hz / _STEP_HZ) * _STEP_HZ)
        # One dot product a number: a product of matrices would wake the threads of BLAS 40 times a second.
        bins = np.vecdot((frames * self._window)[:, None], kernel).view(np.complex64)
        phasors = bins[:, : self.harmonics]
        between = bins.real[:, self.harmonics :] ** 2 + bins.imag[:, self.harmonics :] ** 2
        # Two points on each side; the outermost stand for those beyond.
        padded = np.concatenate((between[:, :1], between, between[:, -1:]), axis=1)
        noise = 0.25 * (padded[:, :-3] + padded[:, 1:-2] + padded[:, 2:-1] + padded[:, 3:])
        return phasors, noise + _LEAST_SHARE * np.abs(phasors) ** 2 + np.float32(_LEAST_POWER)

    def _kernel_at(self, hz: float) -> FloatArray:
        """Return conjugate oscillations at the multiples, then at the points between them.

        float32 [2 * oscillations, size], real and imaginary parts in turns.
        """
        if hz != self._analyzed_hz:
            step = np.exp(-2j * np.pi * hz * self._times)
            powers = np.cumprod(np.broadcast_to(step, (self.harmonics, self.size)), axis=0)
            half = np.exp(-1j * np.pi * hz * self._times)
            between = np.concatenate((half[None], half * powers))
            oscillations = np.concatenate((powers, between))
            parts = np.stack((oscillations.real, oscillations.imag), axis=1)
            self._kernel = parts.reshape(-1, self.size).astype(np.float32)
            self._analyzed_hz = hz
        return self._kernel
