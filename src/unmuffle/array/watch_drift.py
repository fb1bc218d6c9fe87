"""Signs of clocks that run apart in a live stream: delays to one of the microphones that grow steadily.

As in ``clock_drift``, but delays are those of the phase transform averaged over short windows, which a stream can
afford, and of all that has been heard only the delays of the last half minute are kept.
"""

from __future__ import annotations

import numpy as np

from unmuffle.array.clock_drift import MOST_SPREAD_S
from unmuffle.array.faults import FAR_S, MOST_DRIFT_PPM, MOST_WANDERED_S, MicrophoneFault
from unmuffle.array.geometry import MIDDLE_SPEED_M_S
from unmuffle.array.phase_delays import PhaseDelays
from unmuffle.array.steady_line import steady_line
from unmuffle.array.watch_epoch import HOPS, Epoch
from unmuffle.array.watch_latch import Latch
from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.grid import Grid

EPOCHS_A_PART = 16
"""About 2 s."""
PARTS = 16
LEAST_PARTS = 8
LEAST_HEARD = 0.25
"""Share of a part in which there must be something to hear."""
PARTS_BAD, PARTS_GOOD = 2, 4
STRAIGHT = 0.05
"""Most that delays may lie off a line, in parts of what they have grown by: talkers who change places make steps."""
RIGHT = 0.5
"""Share of the drift that is too much from which on a clock is right again."""


class DriftSigns:
    """Follows the delays of all microphones to the first of those that work.

    Parameters
    ----------
    grid : Grid
    channels : int
    aperture_m : float
        Of the array, 0 if it is not known: what a talker who walks from one end of it to the other changes is no drift.
    """

    def __init__(self, grid: Grid, channels: int, aperture_m: float = 0.0) -> None:
        self._wandered_s = max(MOST_WANDERED_S, 2.0 * aperture_m / MIDDLE_SPEED_M_S)
        self._part_s = EPOCHS_A_PART * HOPS * grid.hop_s
        self._part = PhaseDelays(grid, channels)
        self._latch = Latch(channels, PARTS_BAD, PARTS_GOOD)
        self._drifts_ppm: FloatArray = np.zeros(channels)
        self._latest_s: FloatArray = np.full(channels, np.inf)
        self._begin(0)

    @property
    def far(self) -> BoolArray:
        """Which microphones are so late or early, as far as is known, that their polarity cannot be told."""
        return np.asarray(np.abs(self._latest_s) > FAR_S)

    def _begin(self, first: int) -> None:
        self._first = first
        self._delays_s: FloatArray = np.full((PARTS, self._drifts_ppm.size), np.nan)
        self._begin_part()

    def _begin_part(self) -> None:
        self._part.reset()
        self._epochs = self._heard = 0

    def update(self, epoch: Epoch) -> None:
        """Take the next epoch in."""
        if not epoch.working.any():
            return
        if not epoch.working[self._first]:
            self._begin(int(epoch.working.argmax()))
        if epoch.speaking:
            self._part.add(epoch.spectra, self._first)
            self._heard += 1
        self._epochs += 1
        if self._epochs == EPOCHS_A_PART:
            self._end_part()

    def _end_part(self) -> None:
        self._delays_s = np.roll(self._delays_s, -1, axis=0)
        self._delays_s[-1] = np.nan
        if self._heard >= LEAST_HEARD * EPOCHS_A_PART:
            self._delays_s[-1] = self._part.delays_s()
            self._latest_s = np.where(np.isfinite(self._delays_s[-1]), self._delays_s[-1], self._latest_s)
        self._begin_part()
        slopes, spreads_s, spans_s = steady_lines(self._delays_s, self._part_s)
        known = np.isfinite(slopes)
        if known.sum() < 2:
            return
        drifts = slopes - np.median(slopes[known])
        grown_s = np.abs(drifts) * spans_s
        most_s = np.maximum(self._wandered_s, 1e-6 * MOST_DRIFT_PPM * spans_s)
        # NaN compares false with everything: what is not known changes nothing.
        bad = (grown_s > most_s) & (spreads_s < STRAIGHT * grown_s)
        on = self._latch.update(bad, (grown_s < RIGHT * most_s) & (spreads_s < MOST_SPREAD_S))
        self._drifts_ppm = np.where(bad | ~on, 1e6 * drifts, self._drifts_ppm)

    def faults(self) -> list[MicrophoneFault]:
        """Return what is wrong now."""
        return [
            MicrophoneFault(
                channel, "drifting", f"its clock by {self._drifts_ppm[channel]:+.0f} ppm against the others"
            )
            for channel in np.flatnonzero(self._latch.on).tolist()
        ]

    def reset(self) -> None:
        """Forget the past."""
        self._latch.reset()
        self._latest_s[:] = np.inf
        self._begin(0)


def steady_lines(delays_s: FloatArray, part_s: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return how delays grow, float64 [channels] each; NaN where too few are known.

    Parameters
    ----------
    delays_s : float [parts, channels]
        NaN where a delay is not known.
    part_s : float
        From one part to the next.

    Returns
    -------
    slopes
        Seconds a second, by Theil and Sen.
    spreads_s
        Median distance of the delays from the line.
    spans_s
        From the first delay that is known to the last.
    """
    slopes, spreads, spans = np.array([_line_of_known(column, part_s) for column in delays_s.T]).T
    return slopes, spreads, spans


def _line_of_known(delays_s: FloatArray, part_s: float) -> tuple[float, float, float]:
    known = np.flatnonzero(np.isfinite(delays_s))
    if known.size < LEAST_PARTS:
        return np.nan, np.nan, np.nan
    times = known * part_s
    return *steady_line(times, delays_s[known]), float(times[-1] - times[0])
