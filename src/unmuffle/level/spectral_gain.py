"""What processors of levels share that weigh the bins of a short-time spectrum."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from unmuffle.level.meter import LOUDEST
from unmuffle.process.processor import NonFinite, Processor
from unmuffle.signal.arrays import BoolArray, ComplexArray, FloatArray
from unmuffle.signal.grid import Grid
from unmuffle.signal.stft import StftStream


class SpectralGain(Processor):
    """Analysis, real gains, synthesis; a subclass gives the gains. Gains of 1 rebuild the input."""

    loudest: ClassVar[float] = LOUDEST

    def __init__(self, grid: Grid, channels: int = 1, *, nonfinite: NonFinite = "raise") -> None:
        super().__init__(grid.sample_rate, channels, nonfinite=nonfinite)
        self.grid = grid
        self._stft = StftStream(grid, self.channels)
        self._received = 0
        self._returned = 0

    @abstractmethod
    def _gains(self, spectra: ComplexArray) -> FloatArray:
        """Return what the spectra [frames, channels, bins] are multiplied by, of a shape that broadcasts to theirs."""

    @property
    def latency(self) -> int:
        """One window less one sample."""
        return self.grid.window - 1

    @property
    def block_period(self) -> int:
        """The hop."""
        return self.grid.hop

    def _process(self, block: FloatArray) -> FloatArray:
        hop = self.grid.hop
        out: FloatArray = np.empty((self.channels, self._stft.frames_after(block.shape[1]) * hop), np.float32)
        # The very first frame completes only the silence that lies before the first sample.
        skipped = hop if self._received < hop and out.shape[1] else 0
        done = 0
        for spectra in self._stft.analyze(block):
            spectra *= self._gains(spectra)
            self._stft.synthesize(spectra, out[:, done : done + len(spectra) * hop])
            done += len(spectra) * hop
        self._received += block.shape[1]
        self._returned += done - skipped
        return out[:, skipped:]

    def _flush(self) -> FloatArray:
        owed = self._received - self._returned
        padding = -self._received % self.grid.hop + self.grid.hop
        return self._process(np.zeros((self.channels, padding), np.float32))[:, :owed]

    def _reset(self, mask: BoolArray | None) -> None:
        self._stft.reset(mask)
        if mask is None:
            self._received = self._returned = 0
