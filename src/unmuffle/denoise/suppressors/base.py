"""The contract of suppressors: frames of a noisy spectrum in, gains out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from unmuffle.denoise.noise import NoiseEstimator
from unmuffle.signal.arrays import BoolArray, ComplexArray, FloatArray
from unmuffle.signal.grid import Grid
from unmuffle.signal.stft import FRAMES_AT_ONCE


class Suppressor(ABC):
    """Decides, frame by frame and causally, how much of each bin is voice."""

    frames_at_once: ClassVar[int] = FRAMES_AT_ONCE
    """Frames of one channel that a call should hand over where so many have come in; of more channels, fewer."""

    @abstractmethod
    def start(self, grid: Grid, channels: int) -> None:
        """Make the state for a grid and a number of channels; called once, before the first frame."""

    @abstractmethod
    def gains(self, spectra: ComplexArray) -> FloatArray | ComplexArray:
        """Return the factor for every bin of the next frames.

        Parameters
        ----------
        spectra : complex64 [frames, channels, bins]
            Frames in order, one hop of 16 ms apart. Not to be changed.

        Returns
        -------
        float32 or complex64 [frames, channels, bins]
            Finite, also for spectra that are all zero. Belongs to the suppressor and holds until the next call.
        """

    @abstractmethod
    def reset(self, mask: BoolArray | None = None) -> None:
        """Forget the past of all channels or of those in the mask [channels]."""


class NoiseSuppressor(Suppressor):
    """Real gains from the noisy power and an estimate of the noise: all the classical methods.

    Parameters
    ----------
    noise : NoiseEstimator
        Owned by the suppressor from now on.
    """

    def __init__(self, noise: NoiseEstimator) -> None:
        self.noise = noise

    def start(self, grid: Grid, channels: int) -> None:
        """Make the state; see ``Suppressor.start``."""
        self.noise.start(grid, channels)
        self._gains: FloatArray = np.empty((0, channels, grid.bins), np.float32)
        self._prepare(grid, channels)
        self._reset(np.ones(channels, np.bool_))

    def gains(self, spectra: ComplexArray) -> FloatArray:
        """Return real gains; see ``Suppressor.gains``."""
        if len(self._gains) < len(spectra):
            self._gains = np.empty(spectra.shape, np.float32)
        powers = spectra.real**2
        powers += spectra.imag**2
        for frame, power in enumerate(powers):
            self._gain(power, self.noise.update(power), self._gains[frame])
        return self._gains[: len(spectra)]

    def reset(self, mask: BoolArray | None = None) -> None:
        """Forget the past; see ``Suppressor.reset``."""
        self.noise.reset(mask)
        self._reset(np.ones(self._gains.shape[1], np.bool_) if mask is None else mask)

    def _prepare(self, grid: Grid, channels: int) -> None:
        """Allocate what else is kept from frame to frame."""

    def _reset(self, channels: BoolArray) -> None:
        """Clear what else is kept for the channels in the mask."""

    @abstractmethod
    def _gain(self, power: FloatArray, noise_psd: FloatArray, out: FloatArray) -> None:
        """Write the gains of one frame; all three arrays are float32 [channels, bins]."""
