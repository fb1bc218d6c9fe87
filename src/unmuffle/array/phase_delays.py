"""Delays between microphones from phases that were averaged over short windows, whatever the polarity."""

from __future__ import annotations

import numpy as np

from unmuffle.array.gcc_phat import INTERPOLATION, phase_of
from unmuffle.signal.arrays import ComplexArray, FloatArray
from unmuffle.signal.grid import Grid

LOWEST_HZ, HIGHEST_HZ = 200.0, 7_000.0
CLEAR = 0.08
"""Mean coherence of the phases at the delay, below which it is chance."""


class PhaseDelays:
    """Delays of all microphones to one of them, by the phase transform (see ``gcc_phat``).

    Parameters
    ----------
    grid : Grid
    channels : int
    """

    def __init__(self, grid: Grid, channels: int) -> None:
        hz = grid.frequencies_hz
        self._grid = grid
        self._used = np.flatnonzero((hz >= LOWEST_HZ) & (hz <= min(HIGHEST_HZ, 0.45 * grid.sample_rate)))
        self._cross: ComplexArray = np.zeros((self._used.size, channels), np.complex128)
        self._frames = 0

    def add(self, spectra: ComplexArray, first: int = 0) -> None:
        """Take frames [frames, channels, bins] in; delays are to the channel ``first``."""
        phases = phase_of(spectra[:, :, self._used])
        self._cross += np.einsum("fmk,fk->km", phases, phases[:, first].conj())
        self._frames += len(spectra)

    def delays_s(self) -> FloatArray:
        """Return by how much each microphone is later, float64 [channels]; NaN where that is not clear."""
        spectrum: ComplexArray = np.zeros((self._grid.bins, self._cross.shape[1]), np.complex128)
        spectrum[self._used] = self._cross
        size = self._grid.window * INTERPOLATION
        correlation = np.fft.irfft(spectrum, size, axis=0)
        most = size // 2 - 1
        # Of an inverted microphone the peak is below zero.
        around = np.abs(np.concatenate((correlation[-most:], correlation[: most + 1])))
        clear = around.max(axis=0) * size > CLEAR * 2.0 * max(self._frames, 1) * self._used.size
        delays = (around.argmax(axis=0) - most) / (INTERPOLATION * self._grid.sample_rate)
        return np.where(clear, delays, np.nan)

    def reset(self) -> None:
        """Forget all frames."""
        self._cross[:] = 0.0
        self._frames = 0
