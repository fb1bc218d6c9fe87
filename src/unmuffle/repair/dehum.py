"""Removal of mains hum: its harmonics are followed and subtracted.

Hum is a few lines at multiples of 50 or 60 Hz that wander together. A notch at each, as narrow as they allow, would
still ring after every onset of a voice. Here the hum is rebuilt from a model of it and subtracted, which is a notch as
narrow as the memory of the model (about 0.3 Hz) whose state a voice does not move: the model learns from the moments
in which it sees the hum (``dehum_tracking``, ``dehum_clusters``). Where no hum is found nothing is subtracted, and the
audio comes back bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import ceil, isfinite
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidParameterError
from unmuffle.process.processor import IntOrArray, NonFinite, Processor
from unmuffle.process.whole import process_whole
from unmuffle.repair.dehum_acquisition import MAINS_HZ
from unmuffle.repair.dehum_cancelling import HumCanceller
from unmuffle.repair.dehum_decimation import Decimator
from unmuffle.signal.arrays import AnyArray, BoolArray, FloatArray
from unmuffle.signal.fifo import SampleFifo

_LOWEST_MAINS_HZ, _HIGHEST_MAINS_HZ = 45.0, 65.0
_LONGEST_LOOK_AHEAD_S = 10.0
_FULL_SINE_POWER = 0.5


@dataclass(frozen=True)
class HumHarmonic:
    """One line of hum: which multiple of the fundamental, where, and its level (a full-scale sine has -3.0 dBFS)."""

    number: int
    hz: float
    level_dbfs: float


class Dehummer(Processor):
    """Finds mains hum, follows it as it drifts, and takes it out; the voice stays as it is.

    Hum is known 1.3 to 1.5 s after it begins, later where it is weak or a voice never pauses. It may lie within
    0.6 Hz of its nominal frequency and drift by 0.1 Hz a second; harmonics are removed up to 2 kHz.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    mains_hz : float, default 0
        Nominal frequency of the mains, 45 to 65 Hz; 0 finds out whether it is 50 or 60.
    look_ahead_s : float, default 0
        Latency given for better sight, 0 to 10 s. With 2 s, also the beginning of a recording is freed of hum, and hum
        that comes and goes is removed from its first moment to its last.
    link_channels : bool, default False
        Look for one hum in all channels together: they share its frequency and the decision what is there.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Raises
    ------
    InvalidParameterError
        If a parameter is outside its range.
    """

    loudest: ClassVar[float] = 1e6

    def __init__(
        self,
        sample_rate: int,
        channels: int = 1,
        *,
        mains_hz: float = 0.0,
        look_ahead_s: float = 0.0,
        link_channels: bool = False,
        nonfinite: NonFinite = "raise",
    ) -> None:
        super().__init__(sample_rate, channels, nonfinite=nonfinite)
        nominal_hz = _checked_mains(mains_hz)
        if not 0.0 <= look_ahead_s <= _LONGEST_LOOK_AHEAD_S:
            raise InvalidParameterError(
                f"look_ahead_s is {look_ahead_s!r}; it must be from 0 (live) to {_LONGEST_LOOK_AHEAD_S:g} s, "
                "and 2 is enough for files"
            )
        self.link_channels = link_channels and self.channels > 1
        self._decimator = Decimator(self.sample_rate, self.channels)
        segments = ceil(look_ahead_s * self.sample_rate / self._decimator.frame)
        self._latency = segments * self._decimator.frame
        rows = [slice(None)] if self.link_channels else [slice(row, row + 1) for row in range(self.channels)]
        make = partial(
            HumCanceller,
            self._decimator.rate_hz,
            self._decimator.hop,
            self._decimator.delay_s,
            nominal_hz=nominal_hz,
            segments_behind=segments,
        )
        self._cancellers = [(group, make(rows=self.channels if self.link_channels else 1)) for group in rows]
        self._frame: FloatArray = np.zeros((self.channels, self._decimator.frame), np.float32)
        self._filled = 0
        self._delayed = SampleFifo(self.channels)

    @property
    def latency(self) -> int:
        """The look-ahead in whole frames of about 25 ms."""
        return self._latency

    @property
    def linked(self) -> bool:
        """Whether the channels share what is known of the hum."""
        return self.link_channels

    @property
    def block_period(self) -> int:
        """The frame, about 25 ms."""
        return self._decimator.frame

    def complete_after(self, received: IntOrArray) -> IntOrArray:
        """Return how much has been given: all but the latency, without regard to frames."""
        return (received - self._latency) * (received > self._latency)

    def delay_for(self, block_size: int) -> int:  # noqa: ARG002
        """Return the latency, whatever the size of the blocks."""
        return self._latency

    @property
    def fundamental_hz(self) -> npt.NDArray[np.float64]:
        """Fundamental of the hum being removed from each channel, float64 [channels]; NaN where there is none."""
        found = np.full(self.channels, np.nan)
        for rows, canceller in self._cancellers:
            if canceller.hum is not None:
                found[rows] = canceller.hum[0]
        return found

    @property
    def harmonics(self) -> list[tuple[HumHarmonic, ...]]:
        """The lines that are being removed from each channel, in order of frequency."""
        found: list[tuple[HumHarmonic, ...]] = []
        for _, canceller in self._cancellers:
            hz, phasors = canceller.hum or (0.0, np.zeros((self.channels if self.link_channels else 1, 0)))
            powers = _FULL_SINE_POWER * np.abs(phasors).astype(np.float64) ** 2
            found += [tuple(_line(int(index) + 1, hz, row[index]) for index in np.flatnonzero(row)) for row in powers]
        return found

    def _process(self, block: FloatArray) -> FloatArray:
        self._delayed.push(block)
        behind = min(block.shape[1], max(0, len(self._delayed) - self._latency))
        out = self._delayed.pop(behind).copy()
        done = 0
        while done < block.shape[1]:
            taken = min(block.shape[1] - done, self._frame.shape[1] - self._filled)
            self._frame[:, self._filled : self._filled + taken] = block[:, done : done + taken]
            # The first samples only fill the delay.
            skipped = block.shape[1] - behind
            self._subtract(out[:, max(0, done - skipped) : max(0, done + taken - skipped)], self._filled + taken)
            self._filled += taken
            done += taken
            if self._filled == self._frame.shape[1]:
                self._advance(self._decimator.process(self._frame))
        return out

    def _flush(self) -> FloatArray:
        out = self._delayed.pop(len(self._delayed)).copy()
        done = 0
        while done < out.shape[1]:
            taken = min(out.shape[1] - done, self._frame.shape[1] - self._filled)
            self._subtract(out[:, done : done + taken], self._filled + taken)
            self._filled += taken
            done += taken
            if self._filled == self._frame.shape[1]:
                self._advance(None)
        return out

    def _reset(self, mask: BoolArray | None) -> None:
        chosen = np.ones(self.channels, np.bool_) if mask is None else mask
        self._decimator.reset(chosen)
        self._frame[chosen] = 0.0
        for rows, canceller in self._cancellers:
            if chosen[rows].any():
                canceller.reset()
        if mask is None:
            self._filled = 0
            self._delayed.clear()
        else:
            self._delayed.silence(chosen)

    def _advance(self, low: FloatArray | None) -> None:
        for rows, canceller in self._cancellers:
            canceller.advance(None if low is None else low[rows])
        self._filled = 0

    def _subtract(self, out: FloatArray, stop: int) -> None:
        """Take the hum out of samples whose last lies just before a place of the segment."""
        count, size = out.shape[1], self._frame.shape[1]
        for rows, canceller in self._cancellers:
            if count and not canceller.silent:
                out[rows] -= canceller.read((stop - count) / size, stop / size, count)


def dehum(
    audio: npt.ArrayLike,
    sample_rate: int,
    *,
    mains_hz: float = 0.0,
    look_ahead_s: float = 2.0,
    link_channels: bool = False,
) -> AnyArray:
    """Return audio without its mains hum; see ``Dehummer``.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``; float (full scale 1.0), int16 or int32.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    mains_hz, look_ahead_s, link_channels
        As those of ``Dehummer``, but it looks ahead by 2 s unless told otherwise, since the audio is all there.

    Returns
    -------
    ndarray
        Of the shape and type of ``audio``.
    """
    make = partial(Dehummer, sample_rate, mains_hz=mains_hz, look_ahead_s=look_ahead_s, link_channels=link_channels)
    return process_whole(audio, make)


def _line(number: int, hz: float, power: float) -> HumHarmonic:
    return HumHarmonic(number, number * hz, float(10.0 * np.log10(power)))


def _checked_mains(mains_hz: float) -> tuple[float, ...]:
    if mains_hz == 0:
        return MAINS_HZ
    if not (isfinite(mains_hz) and _LOWEST_MAINS_HZ <= mains_hz <= _HIGHEST_MAINS_HZ):
        raise InvalidParameterError(
            f"mains_hz is {mains_hz!r}; it must be from {_LOWEST_MAINS_HZ:g} to {_HIGHEST_MAINS_HZ:g} Hz, "
            "or 0 to find out whether it is 50 or 60"
        )
    return (float(mains_hz),)
