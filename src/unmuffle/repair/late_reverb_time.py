"""The reverberation time of a room, from how speech in it dies away.

In the manner of T. de M. Prego, A. A. de Lima, S. L. Netto, B. Lee, A. Said, R. W. Schafer and T. Kalker, "A blind
algorithm for reverberation-time estimation using subband decomposition of speech signals", J. Acoust. Soc. Am. 131(4),
2012: stretches in which the level of a band falls all the time, a straight line through each, and a statistic of their
slopes, here the median of an ageing histogram, so that it follows a stream in constant memory. Speech itself dies away
in a third of a second or so, which the median tells in a dry room; as in the paper a straight line, fitted to speech
in simulated rooms of 0.25 to 0.9 s, turns it into the time of the room.
"""

from __future__ import annotations

import numpy as np

from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.grid import Grid

BAND_EDGES_HZ = (250.0, 350.0, 500.0, 700.0, 1000.0, 1400.0, 2000.0, 2800.0, 4000.0)
SMOOTHING_S = 0.02
LEAST_FALL_S, LEAST_FALL_DB = 0.14, 6.0
CLASSES_S = np.geomspace(0.1, 2.0, 61)
"""Middles of the classes of the histogram."""
FIRST_GUESS_S, WEIGHT_OF_GUESS = 0.3, 2.0
MEMORY_S = 20.0
DRY_MEDIAN_S, SLOPE_OF_MEDIAN = 0.2, 1.25
SHORTEST_S = 0.1
QUIETEST_POWER = 1e-18


class ReverberationTime:
    """Follows the reverberation time of every channel.

    Parameters
    ----------
    grid : Grid
        Of the frames.
    channels : int
        Rows of a frame.
    """

    def __init__(self, grid: Grid, channels: int) -> None:
        self._hop_s = grid.hop_s
        edges = np.searchsorted(grid.frequencies_hz, [hz for hz in BAND_EDGES_HZ if hz <= grid.sample_rate / 2])
        self._starts, self._stop = edges[:-1], edges[-1]
        bands = len(self._starts)
        self._least_frames = max(3, round(LEAST_FALL_S / grid.hop_s))
        self._pole = grid.smoothing(SMOOTHING_S)
        self._ageing = grid.smoothing(MEMORY_S)
        self._guess = WEIGHT_OF_GUESS * (np.arange(CLASSES_S.size) == np.abs(CLASSES_S - FIRST_GUESS_S).argmin())
        self._power = np.zeros((channels, bands))
        self._level_db = np.zeros((channels, bands))
        # Of the running fall: frames, first level, sum of levels below it, sum of those times their number.
        self._fall = np.zeros((4, channels, bands))
        self._histogram = np.zeros((channels, CLASSES_S.size))
        self.reset(np.ones(channels, np.bool_))

    def update(self, power: FloatArray) -> FloatArray:
        """Take the squared magnitudes [channels, bins] of the next frame in and return ``seconds()``."""
        bands = np.add.reduceat(power[:, : self._stop], self._starts, axis=1, dtype=np.float64)
        self._power += (1.0 - self._pole) * (bands - self._power)
        level_db = 10.0 * np.log10(np.maximum(self._power, QUIETEST_POWER))
        ended = level_db >= self._level_db
        self._count(ended)
        frames, first_db, total, moment = self._fall
        np.copyto(first_db, level_db, where=ended)
        for state in (frames, total, moment):
            state[ended] = 0.0
        fallen = level_db - first_db
        total += fallen
        moment += frames * fallen
        frames += 1.0
        self._level_db = level_db
        return self.seconds()

    def seconds(self) -> FloatArray:
        """Return the reverberation time of each channel as it is known now, 0.1 to 2.25 s, float64 [channels]."""
        shares = self._histogram.cumsum(axis=1)
        median_s = CLASSES_S[(shares < 0.5 * shares[:, -1:]).sum(axis=1)]
        return np.maximum(SHORTEST_S, SLOPE_OF_MEDIAN * (median_s - DRY_MEDIAN_S))

    def reset(self, channels: BoolArray) -> None:
        """Forget what is known of the channels in the mask."""
        self._power[channels] = 0.0
        self._level_db[channels] = 0.0
        self._fall[:, channels] = 0.0
        self._histogram[channels] = self._guess

    def _count(self, ended: BoolArray) -> None:
        """Put the falls that have ended and were long and deep enough into the histogram."""
        frames, first_db, total, moment = self._fall
        depth_db = first_db - self._level_db
        good = ended & (frames >= self._least_frames) & (depth_db >= LEAST_FALL_DB)
        for channel, band in np.argwhere(good):
            count = frames[channel, band]
            # Least squares over 0, 1, ... count - 1.
            slope_db = (moment[channel, band] - 0.5 * (count - 1.0) * total[channel, band]) * 12.0
            slope_db /= count * (count * count - 1.0)
            seconds = -60.0 * self._hop_s / slope_db
            self._histogram[channel] *= self._ageing**count
            self._histogram[channel, np.abs(np.log(CLASSES_S / seconds)).argmin()] += 1.0
