"""Microphones of a live stream watched for faults: what comes in goes on as it is, and what is wrong is told.

Decisions are made every 128 ms, from all that has come in until then and with constant memory. A fault must show
several times in a row before it counts, and be gone several times in a row before it ends.
"""

from __future__ import annotations

from collections import deque
from typing import ClassVar

import numpy as np

from unmuffle.array.faults import MicrophoneFault
from unmuffle.array.watch_clipping import ClippingSigns
from unmuffle.array.watch_drift import DriftSigns
from unmuffle.array.watch_epoch import HOPS, Epoch
from unmuffle.array.watch_levels import LevelSigns
from unmuffle.array.watch_polarity import PolaritySigns
from unmuffle.process.processor import NonFinite, Processor
from unmuffle.process.stft_processor import StftProcessor
from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.fifo import SampleFifo
from unmuffle.signal.grid import grid_for


class MicrophoneWatch(Processor):
    """Passes a recording on and watches its microphones.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int
        Microphones.
    aperture_m : float, default 0
        Of the array, if it is known: in a large one a talker who walks about is not taken for a clock that drifts.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Attributes
    ----------
    faults : tuple of MicrophoneFault
        What is wrong now, one fault a microphone, in order of the channels.
    changes : deque of (int, bool [channels])
        From which frame of ``grid_for(sample_rate)`` on which microphones are to be used; to be taken out by who does.
    """

    loudest: ClassVar[float] = StftProcessor.loudest

    def __init__(
        self, sample_rate: int, channels: int, *, aperture_m: float = 0.0, nonfinite: NonFinite = "raise"
    ) -> None:
        super().__init__(sample_rate, channels, nonfinite=nonfinite)
        self._grid = grid_for(self.sample_rate)
        self._waiting = SampleFifo(self.channels)
        self._levels = LevelSigns(self.channels)
        self._clipping = ClippingSigns(self.channels)
        self._polarity = PolaritySigns(self._grid, self.channels)
        self._drift = DriftSigns(self._grid, self.channels, aperture_m)
        self.changes: deque[tuple[int, BoolArray]] = deque()
        self._start()

    @property
    def latency(self) -> int:
        """0: nothing is held back."""
        return 0

    @property
    def linked(self) -> bool:
        """True: the microphones are compared with each other."""
        return True

    def _start(self) -> None:
        self.faults: tuple[MicrophoneFault, ...] = ()
        self._used: BoolArray = np.ones(self.channels, np.bool_)
        self._epochs = 0

    def _process(self, block: FloatArray) -> FloatArray:
        size = HOPS * self._grid.hop
        start = 0
        while start < block.shape[1]:
            taken = block[:, start : start + size - len(self._waiting)]
            self._waiting.push(taken)
            start += taken.shape[1]
            if len(self._waiting) == size:
                self._look(self._waiting.pop(size))
        return block

    def _look(self, samples: FloatArray) -> None:
        self._epochs += 1
        speaking = self._levels.update(samples)
        epoch = Epoch(self._grid, samples, speaking, ~self._levels.wrong)
        self._clipping.update(epoch)
        self._polarity.update(epoch, self._drift.far)
        self._drift.update(epoch)
        found: dict[int, MicrophoneFault] = {}
        for sign in (self._levels, self._clipping, self._polarity, self._drift):
            for fault in sign.faults():
                found.setdefault(fault.channel, fault)
        self.faults = tuple(found[channel] for channel in sorted(found))
        used = usable_channels(self.faults, self.channels)
        if (used != self._used).any():
            self._used = used
            # The frame that ends where this epoch does.
            self.changes.append((self._epochs * HOPS - 1, used))

    def _flush(self) -> FloatArray:
        return np.zeros((self.channels, 0), np.float32)

    def _reset(self, mask: BoolArray | None) -> None:  # noqa: ARG002
        # The changes are left to who takes them out: the rest of what has come in is still to be worked on.
        self._waiting.clear()
        for sign in (self._levels, self._clipping, self._polarity, self._drift):
            sign.reset()
        self._start()


def usable_channels(faults: tuple[MicrophoneFault, ...], channels: int) -> BoolArray:
    """Return which microphones to use, bool [channels]: those without a fault, if they are at least two.

    Else those that are not dead, though one of them be alone; else all.
    """
    healthy, alive = np.ones((2, channels), np.bool_)
    healthy[[fault.channel for fault in faults]] = False
    alive[[fault.channel for fault in faults if fault.kind == "dead"]] = False
    if healthy.sum() >= 2:
        return np.asarray(healthy)
    return np.asarray(alive) if alive.any() else np.ones(channels, np.bool_)
