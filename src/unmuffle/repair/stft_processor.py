"""The loop of what repairs a short-time spectrum: analysis, change, synthesis."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from unmuffle.process.processor import NonFinite, Processor
from unmuffle.signal.arrays import BoolArray, ComplexArray, FloatArray
from unmuffle.signal.grid import grid_for
from unmuffle.signal.stft import StftStream


class StftProcessor(Processor):
    """Hands the frames of a stream to a subclass and puts together what it gives back, now or some frames later.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    hops_a_window : int, default 2
        Hops of about 16 ms in a window; see ``grid_for``.
    step : int, default 1
        Frames from one change of the spectrum to the next.
    held : int, default 0
        Frames that the subclass keeps back at most, after every whole step.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.
    """

    loudest: ClassVar[float] = 1e6

    def __init__(
        self,
        sample_rate: int,
        channels: int = 1,
        *,
        hops_a_window: int = 2,
        step: int = 1,
        held: int = 0,
        nonfinite: NonFinite = "raise",
    ) -> None:
        super().__init__(sample_rate, channels, nonfinite=nonfinite)
        self.grid = grid_for(self.sample_rate, hops_a_window)
        self._stft = StftStream(self.grid, self.channels)
        self._step, self._held = step, held
        self._start_clock()

    @property
    def latency(self) -> int:
        """One window and what is kept back, less one sample."""
        return self.grid.window + (self._held + self._step - 1) * self.grid.hop - 1

    @property
    def block_period(self) -> int:
        """The hop, about 16 ms, times the frames of a step."""
        return self._step * self.grid.hop

    @abstractmethod
    def _change(self, spectra: ComplexArray) -> ComplexArray:
        """Take the next frames [frames, channels, bins] in and return those that are now ready, in order.

        The frames are the subclass's to change in place.
        """

    @abstractmethod
    def _forget(self, mask: BoolArray | None) -> None:
        """Clear what the subclass keeps, of all channels or of those in the mask [channels]."""

    def _start_clock(self) -> None:
        self._received = self._returned = 0
        # What comes out first is the silence before the first sample.
        self._unborn = self.latency + 1 - self.block_period

    def _process(self, block: FloatArray) -> FloatArray:
        self._received += block.shape[1]
        pieces: list[FloatArray] = [np.zeros((self.channels, 0), np.float32)]
        for spectra in self._stft.analyze(block):
            pieces.extend(self._rebuilt(self._change(spectra)))
        out = np.concatenate(pieces, axis=1)
        skipped = min(self._unborn, out.shape[1])
        self._unborn -= skipped
        self._returned += out.shape[1] - skipped
        return out[:, skipped:]

    def _rebuilt(self, spectra: ComplexArray) -> list[FloatArray]:
        pieces = []
        for start in range(0, len(spectra), self._stft.frames_at_once):
            frames = spectra[start : start + self._stft.frames_at_once]
            pieces.append(np.empty((self.channels, len(frames) * self.grid.hop), np.float32))
            self._stft.synthesize(frames, pieces[-1])
        return pieces

    def _flush(self) -> FloatArray:
        owed = self._received - self._returned
        period = self.block_period
        needed = self._received + self.latency + 1 - period
        padding = np.zeros((self.channels, -(-needed // period) * period - self._received), np.float32)
        return self._process(padding)[:, :owed]

    def _reset(self, mask: BoolArray | None) -> None:
        self._stft.reset(mask)
        self._forget(mask)
        if mask is None:
            self._start_clock()
