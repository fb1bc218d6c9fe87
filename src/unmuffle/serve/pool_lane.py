"""The short-time spectra of all streams of one kind, whose pasts lie in arrays by slot.

The transform is that of ``unmuffle.signal.stft``, one frame of many streams at a time instead of many frames of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from unmuffle.serve.batch_chain import BatchChain, SharedStages
from unmuffle.serve.slots import SlotArray
from unmuffle.signal.arrays import ComplexArray, FloatArray
from unmuffle.signal.grid import grid_for
from unmuffle.signal.stft import sqrt_hann


class Lane:
    """Analysis and synthesis by slot.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    channels : int
        Of each stream; a frame has so many rows of every stream.
    capacity : int
        Slots of the pool.
    stages : SharedStages, optional
        What all of its streams have around the network.

    Attributes
    ----------
    latency : int
        Of the network and the stages, in samples.
    delay : int
        By how many samples what is complete with a hop is behind the beginning of the hop.
    """

    def __init__(self, sample_rate: int, channels: int, capacity: int, stages: SharedStages | None = None) -> None:
        self.grid = grid_for(sample_rate)
        self.stages = stages
        self.chain = None if stages is None else BatchChain(stages, self.grid, capacity)
        self.latency, self.delay = self.grid.window - 1, self.grid.hop
        if self.chain is not None:
            self.latency += self.chain.latency
            self.delay += self.chain.delay
        self.channels = channels
        self.capacity = capacity
        window, hop = self.grid.window, self.grid.hop
        self._window = sqrt_hann(window)
        # As in StftStream: numpy stays in float32 only where it is to divide by the window.
        self._analysis_window = (self._window * np.float64(window)).astype(np.float32)
        self._older: FloatArray = np.zeros((capacity, hop), np.float32)
        self._overlap: FloatArray = np.zeros((capacity, hop), np.float32)

    def clear(self, slots: SlotArray) -> None:
        """Let slots begin with silence."""
        self._older[slots] = 0.0
        self._overlap[slots] = 0.0
        if self.chain is not None:
            self.chain.clear(slots)

    def analyze(self, slots: SlotArray, hops: FloatArray) -> tuple[ComplexArray, FloatArray]:
        """Take the next hop of each slot in, float32 [rows, hop].

        Returns
        -------
        spectra : complex64 [rows, bins]
        delayed : float32 [rows, hop]
            The hop before, to which the next that ``synthesize`` gives belongs.
        """
        hop = self.grid.hop
        frames = np.empty((len(slots), self.grid.window), np.float32)
        delayed = self._older[slots]
        np.multiply(delayed, self._analysis_window[:hop], out=frames[:, :hop])
        np.multiply(hops, self._analysis_window[hop:], out=frames[:, hop:])
        self._older[slots] = hops
        spectra = np.empty((len(slots), self.grid.bins), np.complex64)
        np.fft.rfft(frames, norm="forward", out=cast(Any, spectra))
        return spectra, delayed

    def pass_silence(self, slots: SlotArray, hops: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Take hops in whose frames are to leave nothing; return what is complete, and the hop before."""
        delayed, complete = self._older[slots], self._overlap[slots]
        self._older[slots] = hops
        self._overlap[slots] = 0.0
        return complete, delayed

    def synthesize(self, slots: SlotArray, spectra: ComplexArray) -> FloatArray:
        """Return the hop of each slot that is complete with this frame, float32 [rows, hop]."""
        hop = self.grid.hop
        frames = np.empty((len(slots), self.grid.window), np.float32)
        np.fft.irfft(spectra, self.grid.window, out=cast(Any, frames))
        frames *= self._window
        complete = self._overlap[slots]
        complete += frames[:, :hop]
        self._overlap[slots] = frames[:, hop:]
        return complete


@dataclass(frozen=True)
class Frames:
    """A frame of some streams of one lane.

    Attributes
    ----------
    lane : Lane
    slots : int [rows]
        All channels of a stream lie together.
    spectra : complex64 [rows, bins]
    """

    lane: Lane
    slots: SlotArray
    spectra: ComplexArray

    def only(self, rows: SlotArray) -> Frames:
        """Return some of the rows."""
        return Frames(self.lane, self.slots[rows], self.spectra[rows])
