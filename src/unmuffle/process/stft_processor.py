"""The loop of what changes a short-time spectrum: analysis, change, synthesis."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from unmuffle.process.processor import NonFinite, Processor
from unmuffle.signal.arrays import BoolArray, ComplexArray, FloatArray
from unmuffle.signal.grid import Grid, grid_for
from unmuffle.signal.stft import FRAMES_AT_ONCE, StftStream


class StftProcessor(Processor):
    """Hands the frames of a stream to a subclass and puts together what it gives back, now or some frames later.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    grid : Grid, optional
        Another than that of ``grid_for``, for the same sample rate.
    frames_at_once : int, default 16
        See ``StftStream``.
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
        grid: Grid | None = None,
        frames_at_once: int = FRAMES_AT_ONCE,
        step: int = 1,
        held: int = 0,
        nonfinite: NonFinite = "raise",
    ) -> None:
        super().__init__(sample_rate, channels, nonfinite=nonfinite)
        self.grid = grid or grid_for(self.sample_rate)
        self._stft = StftStream(self.grid, self.channels, frames_at_once)
        self._synthesis = self._stft if self.channels_out == self.channels else StftStream(self.grid, self.channels_out)
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

        What is returned has ``channels_out`` channels. The frames are the subclass's to change in place.
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
        pieces = [piece for spectra in self._stft.analyze(block) for piece in self._rebuilt(self._change(spectra))]
        out: FloatArray = np.concatenate(pieces, axis=1) if pieces else np.zeros((self.channels_out, 0), np.float32)
        skipped = min(self._unborn, out.shape[1])
        self._unborn -= skipped
        self._returned += out.shape[1] - skipped
        return out[:, skipped:]

    def _rebuilt(self, spectra: ComplexArray) -> list[FloatArray]:
        pieces = []
        for start in range(0, len(spectra), self._synthesis.frames_at_once):
            frames = spectra[start : start + self._synthesis.frames_at_once]
            pieces.append(np.empty((self.channels_out, len(frames) * self.grid.hop), np.float32))
            self._synthesis.synthesize(frames, pieces[-1])
        return pieces

    def _flush(self) -> FloatArray:
        owed = self._received - self._returned
        period = self.block_period
        needed = self._received + self.latency + 1 - period
        padding = np.zeros((self.channels, -(-needed // period) * period - self._received), np.float32)
        return self._process(padding)[:, :owed]

    def _reset(self, mask: BoolArray | None) -> None:
        self._stft.reset(mask)
        if self._synthesis is not self._stft:
            self._synthesis.reset()
        self._forget(mask)
        if mask is None:
            self._start_clock()
