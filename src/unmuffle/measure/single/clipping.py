"""Hard clipping: flat tops at the extreme of a recording, at whatever level that lies.

A run of three or more equal samples at a channel's highest (or lowest) value is clipped if that value was
reached far more often than its neighbours: an untouched wave thins out towards its peak, so that even where
a slow or quantised sine leaves a few equal samples at its top, the next values below are about a third as
frequent; a clipped one piles up at the limit. The pile in the amplitude histogram is the sign used by M.
Laguna and A. Lerch, "An efficient algorithm for clipping detection and declipping audio", AES Convention
141, 2016; the demand for runs, and the comparison with neighbours only, are ours.

Not seen: clipping that was then filtered, resampled or coded with loss (the tops are flat no longer), and
clipping below a higher peak of the same channel and sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log10

import numpy as np
import numpy.typing as npt

from unmuffle.level import Meter
from unmuffle.signal.arrays import BoolArray, FloatArray, as_channels

_CONTEXT = 2
"""Samples on each side that decide whether one is in a run of at least three."""

_MANTISSA_BITS_DROPPED = 11
_LOWEST_EXPONENT = -12
_HIGHEST_EXPONENT = 20
_CELL_OFFSET = (127 + _LOWEST_EXPONENT) << (23 - _MANTISSA_BITS_DROPPED)
_CELLS = (_HIGHEST_EXPONENT - _LOWEST_EXPONENT) << (23 - _MANTISSA_BITS_DROPPED)
_LEAST_PEAK = 2.0**-10
_NEAR_PEAK = 0.95
_NEIGHBOURS = 4
_LEAST_PILE = 5.0

_ALL, _FLAT, _STARTS = range(3)


@dataclass(frozen=True)
class ChannelClipping:
    """One channel's clipping.

    Attributes
    ----------
    share : float
        Clipped samples over all samples, 0 to 1.
    runs : int
        Number of flat tops.
    level_dbfs : float or None
        Level they lie at, the higher one if the two signs differ; None without clipping.
    """

    share: float
    runs: int
    level_dbfs: float | None


@dataclass(frozen=True)
class Clipping:
    """A recording's clipping.

    Attributes
    ----------
    share : float
        Clipped samples over all samples of all channels, 0 to 1.
    runs : int
        Number of flat tops in all channels.
    channels : tuple of ChannelClipping
        The same for each channel.
    """

    share: float
    runs: int
    channels: tuple[ChannelClipping, ...]


class ClippingMeter(Meter):
    """Counts flat tops in a stream, channel by channel.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.

    Notes
    -----
    Memory: 3 MB a channel, for any length.
    """

    def __init__(self, sample_rate: int, channels: int = 1) -> None:
        super().__init__(sample_rate, channels)
        self._tail: FloatArray = np.full((self.channels, 2 * _CONTEXT), np.nan, np.float32)
        self._peaks = np.full((self.channels, 2), -np.inf, np.float32)
        self._counts = np.zeros((self.channels, 2, 3, _CELLS), np.int32)

    def _process(self, block: FloatArray) -> None:
        samples = np.concatenate([self._tail, block], axis=1)
        self._tail = samples[:, -2 * _CONTEXT :]
        for channel, row in enumerate(samples):
            self._count(self._counts[channel], self._peaks[channel], row)

    def result(self) -> Clipping:
        """Return what was found in all that was heard."""
        if self.samples == 0:
            return Clipping(0.0, 0, (ChannelClipping(0.0, 0, None),) * self.channels)
        found = tuple(self._channel_result(channel) for channel in range(self.channels))
        return Clipping(sum(each.share for each in found) / self.channels, sum(each.runs for each in found), found)

    def _channel_result(self, channel: int) -> ChannelClipping:
        counts, peaks = self._counts[channel].copy(), self._peaks[channel].copy()
        end = np.full(_CONTEXT, np.nan, np.float32)
        self._count(counts, peaks, np.concatenate([self._tail[channel], end]))
        if peaks[0] == -peaks[1]:
            return ChannelClipping(0.0, 0, None)
        clipped, runs, level = 0, 0, 0.0
        for sign in range(2):
            samples, tops = _pile(counts[sign], peaks[sign])
            clipped, runs = clipped + samples, runs + tops
            level = max(level, float(peaks[sign])) if tops else level
        return ChannelClipping(clipped / self.samples, runs, 20.0 * log10(level) if runs else None)

    @staticmethod
    def _count(counts: npt.NDArray[np.int32], peaks: FloatArray, row: FloatArray) -> None:
        """Count the samples of a row near its channel's peaks, except for the context at both ends."""
        inner = row[_CONTEXT:-_CONTEXT]
        heard = inner[np.isfinite(inner)] if not np.isfinite(inner[:_CONTEXT]).all() else inner
        if heard.size == 0:
            return
        flat, starts = _runs(row)
        for sign, extreme in enumerate((heard.max(), -heard.min())):
            peaks[sign] = max(peaks[sign], extreme)
            if peaks[sign] < _LEAST_PEAK:
                continue
            # Only what may still be the final peak or its neighbour is worth counting.
            level = np.float32(_NEAR_PEAK) * peaks[sign]
            near = np.flatnonzero(inner >= level if sign == 0 else inner <= -level)
            cells = _cell(np.abs(inner[near]))
            np.add.at(counts[sign, _ALL], cells, 1)
            np.add.at(counts[sign, _FLAT], cells, flat[near])
            np.add.at(counts[sign, _STARTS], cells, starts[near])


def measure_clipping(audio: npt.ArrayLike, sample_rate: int) -> Clipping:
    """Return the hard clipping in ``[samples]`` or ``[channels, samples]``; see ``ClippingMeter``."""
    samples = as_channels(audio)
    meter = ClippingMeter(sample_rate, samples.shape[0])
    meter.process(samples)
    return meter.result()


def _runs(row: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Say which samples, without the context, lie in a run of three equal ones, and which begin it."""
    same = row[1:] == row[:-1]
    before, last, following, after = same[:-3], same[1:-2], same[2:-1], same[3:]
    return (before & last) | (last & following) | (following & after), ~last & following & after


def _cell(magnitude: FloatArray) -> npt.NDArray[np.int32]:
    """Return logarithmic amplitude classes, about .02 % wide, read off the bits of the float."""
    cells: npt.NDArray[np.int32] = (magnitude.view(np.int32) >> _MANTISSA_BITS_DROPPED) - np.int32(_CELL_OFFSET)
    return np.clip(cells, 0, _CELLS - 1)


def _pile(counts: npt.NDArray[np.int32], peak: np.float32) -> tuple[int, int]:
    """Return how many samples are clipped at a peak, and in how many runs."""
    if peak < _LEAST_PEAK:
        return 0, 0
    top = int(_cell(np.array([peak], np.float32))[0])
    lowest = int(_cell(np.array([0.96 * peak], np.float32))[0])
    below = counts[_ALL, lowest:top]
    neighbours = below[below > 0][-_NEIGHBOURS:]
    usual = float(neighbours.mean()) if neighbours.size else 0.0
    if counts[_STARTS, top] == 0 or counts[_ALL, top] < max(3.0, _LEAST_PILE * usual):
        return 0, 0
    return int(counts[_FLAT, top]), int(counts[_STARTS, top])
