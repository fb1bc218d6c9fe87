"""The contract of a priori SNR estimators."""

from __future__ import annotations

from abc import ABC, abstractmethod

from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.grid import Grid

HIGHEST_SNR = 1e6
"""60 dB: beyond it every gain is 1 to the ear, and products stay within float32."""


class AprioriSnr(ABC):
    """Estimates, frame by frame, how much stronger than the noise the voice is expected to be in each bin."""

    @abstractmethod
    def start(self, grid: Grid, channels: int) -> None:
        """Make the state for a grid and a number of channels; called once, before the first frame."""

    @abstractmethod
    def reset(self, channels: BoolArray) -> None:
        """Forget the past of the channels in the mask [channels]."""

    @abstractmethod
    def estimate(self, power: FloatArray, noise_psd: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the a priori and the a posteriori SNR of a frame, each a power ratio float32 [channels, bins]."""

    @abstractmethod
    def remember(self, power: FloatArray, gain: FloatArray) -> None:
        """Learn which gain [channels, bins] was then found for the frame."""
