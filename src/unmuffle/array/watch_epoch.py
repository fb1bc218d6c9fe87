"""A stretch of a stream of microphones, and what the signs of faults are read from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from unmuffle.signal.arrays import BoolArray, ComplexArray, FloatArray
from unmuffle.signal.grid import Grid
from unmuffle.signal.stft import sqrt_hann

HOPS = 8


@dataclass(frozen=True)
class Epoch:
    """About 128 ms of all microphones.

    Attributes
    ----------
    grid : Grid
    samples : float32 [channels, HOPS * hop]
    speaking : bool
        Whether it is within 20 dB of the loudest of late: levels of microphones are compared where they hear something.
    working : bool [channels]
        Those that are neither dead nor of a wrong level, and so are worth a closer look.
    """

    grid: Grid
    samples: FloatArray
    speaking: bool
    working: BoolArray

    @cached_property
    def spectra(self) -> ComplexArray:
        """Windows of two hops that overlap by half, complex [frames, channels, bins]."""
        windows = np.lib.stride_tricks.sliding_window_view(self.samples, self.grid.window, axis=1)[:, :: self.grid.hop]
        return np.fft.rfft(windows * sqrt_hann(self.grid.window), axis=2).swapaxes(0, 1)
