"""The one loop that all spectral methods share: analysis, gains, synthesis."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from unmuffle.denoise.suppressors import Suppressor
from unmuffle.process.processor import NonFinite, Processor
from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.grid import grid_for
from unmuffle.signal.stft import StftStream


class SpectralProcessor(Processor):
    """Runs a suppressor over the short-time spectrum of a stream.

    Parameters
    ----------
    suppressor : Suppressor
        Owned by the processor from now on.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    nonfinite : {"raise", "silence"}, default "raise"
        See :class:`~unmuffle.process.Processor`.
    """

    loudest: ClassVar[float] = 1e6

    def __init__(
        self, suppressor: Suppressor, sample_rate: int, channels: int = 1, *, nonfinite: NonFinite = "raise"
    ) -> None:
        super().__init__(sample_rate, channels, nonfinite=nonfinite)
        self.grid = grid_for(self.sample_rate)
        self.suppressor = suppressor
        self._stft = StftStream(self.grid, self.channels)
        suppressor.start(self.grid, self.channels)
        self._received = 0
        self._returned = 0

    @property
    def latency(self) -> int:
        """One window less one sample: just under 32 ms."""
        return self.grid.window - 1

    @property
    def block_period(self) -> int:
        """The hop, about 16 ms."""
        return self.grid.hop

    def _process(self, block: FloatArray) -> FloatArray:
        hop = self.grid.hop
        out: FloatArray = np.empty((self.channels, self._stft.frames_after(block.shape[1]) * hop), np.float32)
        # The very first frame completes only the silence that lies before the first sample.
        skipped = hop if self._received < hop and out.shape[1] else 0
        done = 0
        for spectra in self._stft.analyze(block):
            spectra *= self.suppressor.gains(spectra)
            self._stft.synthesize(spectra, out[:, done : done + len(spectra) * hop])
            done += len(spectra) * hop
        self._received += block.shape[1]
        self._returned += done - skipped
        return out[:, skipped:]

    def _flush(self) -> FloatArray:
        owed = self._received - self._returned
        hop = self.grid.hop
        padding = -self._received % hop + hop
        return self._process(np.zeros((self.channels, padding), np.float32))[:, :owed]

    def _reset(self, mask: BoolArray | None) -> None:
        self._stft.reset(mask)
        self.suppressor.reset(mask)
        if mask is None:
            self._received = self._returned = 0
