"""The one loop that all spectral methods share: analysis, gains, synthesis."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from unmuffle.denoise.noise.base import QUIETEST_PSD
from unmuffle.denoise.suppressors import Suppressor
from unmuffle.process.processor import NonFinite, Processor
from unmuffle.signal.arrays import BoolArray, ComplexArray, FloatArray
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
    link_channels : bool, default False
        Give all channels the same gains, the mean of their own weighted by their power, so that a voice keeps its place
        between the loudspeakers. The channels then are one recording: none of them can be reset alone.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.
    """

    loudest: ClassVar[float] = 1e6

    def __init__(
        self,
        suppressor: Suppressor,
        sample_rate: int,
        channels: int = 1,
        *,
        link_channels: bool = False,
        nonfinite: NonFinite = "raise",
    ) -> None:
        super().__init__(sample_rate, channels, nonfinite=nonfinite)
        self.grid = grid_for(self.sample_rate)
        self.suppressor = suppressor
        self.link_channels = link_channels and self.channels > 1
        self._stft = StftStream(self.grid, self.channels, suppressor.frames_at_once)
        suppressor.start(self.grid, self.channels)
        self._received = 0
        self._returned = 0

    @property
    def latency(self) -> int:
        """One window less one sample: just under 32 ms."""
        return self.grid.window - 1

    @property
    def linked(self) -> bool:
        """Whether the channels share their gains."""
        return self.link_channels

    @property
    def block_period(self) -> int:
        """The hop, about 16 ms."""
        return self.grid.hop

    @property
    def latest_speech(self) -> tuple[FloatArray, FloatArray] | None:
        """What a network tells of its latest frame, see ``NetworkSuppressor.latest``; None for other suppressors."""
        from unmuffle.denoise.suppressors.network import NetworkSuppressor

        return self.suppressor.latest if isinstance(self.suppressor, NetworkSuppressor) else None

    def _process(self, block: FloatArray) -> FloatArray:
        hop = self.grid.hop
        out: FloatArray = np.empty((self.channels, self._stft.frames_after(block.shape[1]) * hop), np.float32)
        # The very first frame completes only the silence that lies before the first sample.
        skipped = hop if self._received < hop and out.shape[1] else 0
        done = 0
        for spectra in self._stft.analyze(block):
            gains = self.suppressor.gains(spectra)
            spectra *= _linked(gains, spectra) if self.link_channels else gains
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


def _linked(gains: FloatArray | ComplexArray, spectra: ComplexArray) -> FloatArray | ComplexArray:
    """Mean of the channels' gains weighted by their power, [frames, 1, bins]."""
    powers = spectra.real**2 + spectra.imag**2 + QUIETEST_PSD
    return (gains * powers).sum(axis=1, keepdims=True) / powers.sum(axis=1, keepdims=True)
