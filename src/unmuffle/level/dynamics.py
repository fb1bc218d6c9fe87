"""What compressor, limiter and gate share: a gain found from the audio, put on the audio some time before."""

from __future__ import annotations

from abc import abstractmethod
from math import log
from typing import ClassVar

import numpy as np

from unmuffle.process.processor import NonFinite, Processor
from unmuffle.signal.arrays import AnyArray, BoolArray, FloatArray
from unmuffle.signal.fifo import SampleFifo

DB_A_NEPER = 20.0 / log(10.0)
_PIECE = 1 << 14
"""Longer blocks are cut here: scratch memory stays within the cache, and quiet pieces of a loud file cost little."""


class DynamicsProcessor(Processor):
    """Multiplies audio by a gain that depends on the audio up to ``latency`` samples later.

    A subclass sets the latency, and tells the gains (``_gains``), what they rest on (``_known``) and how to forget
    (``_forget``).

    Parameters
    ----------
    sample_rate, channels, nonfinite
        See ``Processor``.
    latency : int
        Samples by which the audio is delayed against the gains.
    link_channels : bool
        Whether all channels have one gain; a single channel is never linked.
    """

    loudest: ClassVar[float] = 1e6

    def __init__(
        self, sample_rate: int, channels: int, latency: int, *, link_channels: bool, nonfinite: NonFinite
    ) -> None:
        super().__init__(sample_rate, channels, nonfinite=nonfinite)
        self.link_channels = link_channels and self.channels > 1
        self._latency = latency
        self._delayed = SampleFifo(self.channels)
        self._early = 0

    @property
    def latency(self) -> int:
        """How far the gain looks ahead, in samples."""
        return self._latency

    @property
    def linked(self) -> bool:
        """Whether the channels share their gain."""
        return self.link_channels

    @property
    def rows(self) -> int:
        """Rows of gains: 1 if the channels are linked, else one a channel."""
        return 1 if self.link_channels else self.channels

    @property
    def row_states(self) -> tuple[AnyArray, ...] | None:
        """What is delayed, and what the gains rest on."""
        return None if self.linked else (self._delayed.waiting, *self._known)

    @property
    @abstractmethod
    def _known(self) -> tuple[AnyArray, ...]:
        """What the gains rest on, arrays [rows, ...] that may be written."""

    @abstractmethod
    def _gains(self, piece: FloatArray) -> FloatArray:
        """Return the gains [rows, n] that are known when a piece [channels, n] has come, or [1, 1] if all are one."""

    @abstractmethod
    def _forget(self, mask: BoolArray | None) -> None:
        """Forget the past of all rows, or of those of the mask."""

    def _process(self, block: FloatArray) -> FloatArray:
        self._delayed.push(block)
        out: FloatArray = np.empty((self.channels, max(0, len(self._delayed) - self._latency)), np.float32)
        done = 0
        for start in range(0, block.shape[1], _PIECE):
            piece = block[:, start : start + _PIECE]
            gains = self._gains(piece)
            # The first gains of a stream belong to what lies before its first sample.
            skipped = min(self._latency - self._early, piece.shape[1])
            self._early += skipped
            stop = done + piece.shape[1] - skipped
            delayed = self._delayed.pop(stop - done)
            np.multiply(delayed, gains if gains.size == 1 else gains[:, skipped:], out=out[:, done:stop])
            done = stop
        return out

    def _flush(self) -> FloatArray:
        return self._process(np.zeros((self.channels, self._latency), np.float32))

    def _reset(self, mask: BoolArray | None) -> None:
        self._forget(mask)
        if mask is None:
            self._delayed.clear()
            self._early = 0
        else:
            self._delayed.silence(mask)


def amplitude(gain_db: FloatArray) -> FloatArray:
    """Return gains in dB as float32 factors."""
    factors: FloatArray = np.exp(gain_db * (1.0 / DB_A_NEPER)).astype(np.float32)
    return factors


def loudest_channel(magnitudes: FloatArray, rows: int) -> FloatArray:
    """Return magnitudes [channels, n] as they are, or [1, n] if the channels are to share one row."""
    return magnitudes if rows == len(magnitudes) else magnitudes.max(axis=0, keepdims=True)
