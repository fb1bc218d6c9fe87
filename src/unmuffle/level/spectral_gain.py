"""What processors of levels share that weigh the bins of a short-time spectrum."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from unmuffle.level.meter import LOUDEST
from unmuffle.process.processor import NonFinite
from unmuffle.process.stft_processor import StftProcessor
from unmuffle.signal.arrays import ComplexArray, FloatArray
from unmuffle.signal.grid import Grid


class SpectralGain(StftProcessor):
    """Analysis, real gains, synthesis; a subclass gives the gains. Gains of 1 rebuild the input."""

    loudest: ClassVar[float] = LOUDEST

    def __init__(self, grid: Grid, channels: int = 1, *, nonfinite: NonFinite = "raise") -> None:
        super().__init__(grid.sample_rate, channels, grid=grid, nonfinite=nonfinite)

    @abstractmethod
    def _gains(self, spectra: ComplexArray) -> FloatArray:
        """Return what the spectra [frames, channels, bins] are multiplied by, of a shape that broadcasts to theirs."""

    def _change(self, spectra: ComplexArray) -> ComplexArray:
        spectra *= self._gains(spectra)
        return spectra
