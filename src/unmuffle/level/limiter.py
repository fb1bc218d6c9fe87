"""Look-ahead true-peak limiter.

The peaks between the samples are found on a grid eight times as fine with the filter of ``true_peak``. The reduction in
dB that they need is held for the look-ahead (a sliding maximum), let go with the release time, and smoothed by two
sliding means one after the other, which together are as long as the look-ahead: each value of the result is an average
of values that are all at least what the peak needs, so the gain is down in time, and it arrives and leaves without a
corner. After Giannoulis et al. (2012) for the decay and the arithmetic in dB; the sliding maximum before a smoothing
filter is the common design of look-ahead limiters.

A gain that changes moves the waveform between the samples, too. It hardly changes along the interpolation filter, since
the maximum is held a little longer than the peak on both sides; what is left stays within the tolerance given below.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.level.dynamics import DB_A_NEPER, DynamicsProcessor, amplitude, loudest_channel
from unmuffle.level.envelope import DecayingPeak
from unmuffle.level.settings import within
from unmuffle.level.true_peak import GROUP, TAPS, interpolation, points_between
from unmuffle.level.windows import SlidingMaximum, SlidingMean
from unmuffle.process import process_whole
from unmuffle.process.processor import NonFinite
from unmuffle.signal.arrays import AnyArray, BoolArray, FloatArray
from unmuffle.signal.grid import check_sample_rate

MARGIN_DB = 0.05
"""The gain aims so far below the ceiling: meters differ by this, as their filters do."""

_HELD_BESIDE_A_PEAK = 8
"""Samples before and after a peak in which the gain is as low as at the peak."""

GRID = 8
"""Points in the distance of two samples at which peaks are looked for."""

_UNITY = np.ones((1, 1), np.float32)
_SPAN = np.arange(GROUP + TAPS - 1)


class Limiter(DynamicsProcessor):
    """Lets no peak pass above a ceiling, not even between the samples.

    What stays below the ceiling passes bit for bit, only later.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    ceiling_dbtp : float, default -1.0
        Highest true peak in dB of full scale, -60 to 20, kept to 0.1 dB.
    look_ahead_ms : float, default 3.0
        How long before a peak the gain begins to fall, 0.5 to 50: longer distorts less. The latency is this and
        half an interpolation filter (20 samples).
    release_ms : float, default 100.0
        Time constant with which a reduction in dB dies away, 1 to 5,000.
    link_channels : bool, default False
        Give all channels the same gain, that of the loudest, so that a voice keeps its place between the loudspeakers.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Raises
    ------
    InvalidParameterError
        If a parameter is out of its range.
    """

    def __init__(
        self,
        sample_rate: int,
        channels: int = 1,
        *,
        ceiling_dbtp: float = -1.0,
        look_ahead_ms: float = 3.0,
        release_ms: float = 100.0,
        link_channels: bool = False,
        nonfinite: NonFinite = "raise",
    ) -> None:
        ceiling = within("ceiling_dbtp", ceiling_dbtp, -60.0, 20.0)
        look_ahead_s = 1e-3 * within("look_ahead_ms", look_ahead_ms, 0.5, 50.0)
        release_s = 1e-3 * within("release_ms", release_ms, 1.0, 5000.0)
        half = round(0.5 * look_ahead_s * check_sample_rate(sample_rate))
        # Both means have to be full of what the peak needs, and a peak between samples is known half a filter late.
        latency = 2 * (half - 1) + TAPS // 2 + _HELD_BESIDE_A_PEAK
        super().__init__(sample_rate, channels, latency, link_channels=link_channels, nonfinite=nonfinite)
        self._excess = _Excess(self.channels, ceiling - MARGIN_DB)
        self._maximum = SlidingMaximum(self.rows, latency + _HELD_BESIDE_A_PEAK + 1)
        self._release = DecayingPeak(self.sample_rate, self.rows, release_s)
        self._means = (SlidingMean(self.rows, half), SlidingMean(self.rows, half))

    def _gains(self, piece: FloatArray) -> FloatArray:
        excess_db = self._excess.follow(piece)
        if excess_db is None and self._at_rest:
            return _UNITY
        excess_db = np.zeros(piece.shape) if excess_db is None else excess_db
        reduction_db = self._release.follow(self._maximum.follow(loudest_channel(excess_db, self.rows)))
        for mean in self._means:
            reduction_db = mean.follow(reduction_db)
        gains: FloatArray = np.ones(reduction_db.shape, np.float32)
        reduced = reduction_db.any(axis=1)
        gains[reduced] = amplitude(-reduction_db[reduced])
        return gains

    @property
    def _at_rest(self) -> bool:
        return all(part.at_rest for part in (self._maximum, self._release, *self._means))

    @property
    def _known(self) -> tuple[AnyArray, ...]:
        parts = (self._excess, self._maximum, self._release, *self._means)
        return tuple(state for part in parts for state in part.row_states)

    def _forget(self, mask: BoolArray | None) -> None:
        for part in (self._excess, self._maximum, self._release, *self._means):
            part.reset(mask)


class _Excess:
    """By how many dB the waveform exceeds a ceiling, sample by sample as they arrive."""

    def __init__(self, channels: int, ceiling_db: float) -> None:
        self._filter, self._most_gain = interpolation(GRID)
        self._ceiling = 10.0 ** (ceiling_db / 20.0)
        self._tail: FloatArray = np.zeros((channels, TAPS - 1), np.float32)

    def follow(self, piece: FloatArray) -> FloatArray | None:
        """Return dB >= 0 [channels, n] for the next samples, or None if the ceiling is nowhere exceeded.

        Each value holds for the sample that has arrived, and for the interval that it completes the filter of.
        """
        samples = np.concatenate([self._tail, piece], axis=1)
        self._tail = samples[:, samples.shape[1] - TAPS + 1 :].copy()
        if piece.shape[1] == 0 or max(samples.max(), -samples.min()) * self._most_gain <= self._ceiling:
            return None
        peaks = self._between(samples, piece.shape[1])
        np.maximum(peaks, np.abs(piece), out=peaks)
        above = peaks > self._ceiling
        excess_db: FloatArray = np.zeros(piece.shape)
        excess_db[above] = DB_A_NEPER * np.log(peaks[above] / self._ceiling)
        return excess_db

    def _between(self, samples: FloatArray, count: int) -> FloatArray:
        """Return the highest magnitude in each of so many intervals, 0 where it cannot exceed the ceiling."""
        groups = -(-count // GROUP)
        # A span lies within a group of samples and the next one.
        whole: FloatArray = np.zeros((len(samples), (groups + 1) * GROUP), np.float32)
        whole[:, : samples.shape[1]] = samples
        loudest = np.abs(whole).reshape(len(samples), -1, GROUP).max(axis=2)
        wanted = np.maximum(loudest[:, :-1], loudest[:, 1:]) * self._most_gain > self._ceiling
        peaks = np.zeros((len(samples), groups, GROUP))
        rows, places = np.nonzero(wanted)
        spans = whole[rows[:, None], GROUP * places[:, None] + _SPAN]
        points = np.abs(points_between(spans.astype(np.float64), self._filter))
        peaks[rows, places] = points.reshape(-1, GROUP, GRID - 1).max(axis=2)
        return peaks.reshape(len(samples), -1)[:, :count]

    @property
    def row_states(self) -> tuple[AnyArray, ...]:
        return (self._tail,)

    def reset(self, mask: BoolArray | None) -> None:
        self._tail[slice(None) if mask is None else mask] = 0.0


def limit(
    audio: npt.ArrayLike,
    sample_rate: int,
    *,
    ceiling_dbtp: float = -1.0,
    look_ahead_ms: float = 3.0,
    release_ms: float = 100.0,
    link_channels: bool = True,
) -> AnyArray:
    """Return audio ``[samples]`` or ``[channels, samples]`` limited; see ``Limiter`` for the parameters."""
    return process_whole(
        audio,
        lambda channels: Limiter(
            sample_rate,
            channels,
            ceiling_dbtp=ceiling_dbtp,
            look_ahead_ms=look_ahead_ms,
            release_ms=release_ms,
            link_channels=link_channels,
        ),
    )
