"""The contract of noise estimators: frames of power in, the noise power spectral density out."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from unmuffle.signal.arrays import AnyArray, BoolArray, FloatArray
from unmuffle.signal.grid import Grid

QUIETEST_PSD = 1e-18
"""Floor of a power spectral density: far below the noise of 24-bit audio; its square stays within float32."""
LOUDEST_PSD = 1e18
"""Ceiling of a power spectral density: far above full scale; its square stays within float32."""


class NoiseEstimator(ABC):
    """Follows the noise power spectral density (PSD) in every bin of every channel, causally.

    A PSD here is the expected squared magnitude of an STFT bin. Each frame of ``update`` is one hop of 16 ms.
    Digital silence tells nothing of the noise: frames without any power leave all that a channel knows as it was, and
    a channel begins with its first frame that has some.

    Attributes
    ----------
    noise_psd : float32 [channels, bins]
        The present estimate.
    """

    noise_psd: FloatArray

    def start(self, grid: Grid, channels: int) -> None:
        """Make the state for a grid and a number of channels; called once, before the first frame."""
        self.noise_psd = np.full((channels, grid.bins), QUIETEST_PSD, np.float32)
        self._begun: BoolArray = np.zeros(channels, np.bool_)
        self._prepare(grid, channels)
        self.reset()

    def update(self, power: FloatArray) -> FloatArray:
        """Take the squared magnitudes [channels, bins] of the next frame and return the noise PSD [channels, bins].

        The result belongs to the estimator and holds until the next call.
        """
        sounding = power.max(axis=-1) > QUIETEST_PSD
        # Single bins may be exactly 0, and a ratio of two such would be NaN for ever.
        power = np.clip(power, QUIETEST_PSD, LOUDEST_PSD)
        if sounding.all():
            self._learn(power, sounding)
        elif sounding.any():
            silent = ~sounding
            kept = [state[silent] for state in (self.noise_psd, *self._state)]
            self._learn(np.where(silent[:, None], self.noise_psd, power), sounding)
            for state, old in zip((self.noise_psd, *self._state), kept, strict=True):
                state[silent] = old
        return self.noise_psd

    def _learn(self, power: FloatArray, sounding: BoolArray) -> None:
        beginning = sounding & ~self._begun
        if beginning.any():
            # The first frame of a stream is half empty.
            self._begin(beginning, 2.0 * power)
            self._begun |= beginning
        self._update(power)
        np.maximum(self.noise_psd, QUIETEST_PSD, out=self.noise_psd)

    def reset(self, mask: BoolArray | None = None) -> None:
        """Forget the past of all channels or of those in the mask [channels]."""
        chosen = np.ones_like(self._begun) if mask is None else mask
        self._begun[chosen] = False
        self.noise_psd[chosen] = QUIETEST_PSD
        self._reset(chosen)

    @abstractmethod
    def _prepare(self, grid: Grid, channels: int) -> None:
        """Allocate the state."""

    @abstractmethod
    def _begin(self, channels: BoolArray, power: FloatArray) -> None:
        """Make the first estimate of the channels in the mask from their first frame."""

    @abstractmethod
    def _update(self, power: FloatArray) -> None:
        """Bring ``noise_psd`` up to date with a frame."""

    @abstractmethod
    def _reset(self, channels: BoolArray) -> None:
        """Clear what else is kept for the channels in the mask."""

    @property
    @abstractmethod
    def _state(self) -> tuple[AnyArray, ...]:
        """What else is kept from frame to frame: arrays, or views of them, with the channels first."""


def smooth_over_bins(spectrum: FloatArray, half_width: int) -> FloatArray:
    """Average each bin [..., bins] with its neighbours under a Hann-shaped weight; the ends are mirrored."""
    weights = np.hanning(2 * half_width + 3)[1:-1].astype(np.float32)
    weights /= weights.sum()
    bins = spectrum.shape[-1]
    # Like numpy.pad with mode="reflect", in a fifth of its time.
    ends = spectrum[..., half_width:0:-1], spectrum[..., bins - 2 : bins - 2 - half_width : -1]
    mirrored = np.concatenate((ends[0], spectrum, ends[1]), axis=-1)
    smoothed = weights[0] * mirrored[..., :bins]
    for place, weight in enumerate(weights[1:], start=1):
        smoothed += weight * mirrored[..., place : place + bins]
    return smoothed
