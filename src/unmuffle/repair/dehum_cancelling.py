"""From the low band of one recording to the waveform of its hum, segment by segment."""

from __future__ import annotations

import numpy as np

from unmuffle.repair.dehum_acquisition import REACH_HZ, HumSearch
from unmuffle.repair.dehum_decimation import TOP_HZ
from unmuffle.repair.dehum_phasors import HarmonicAnalyzer
from unmuffle.repair.dehum_tracking import HumTracker
from unmuffle.repair.dehum_waveform import HumWaveform
from unmuffle.signal.arrays import ComplexArray, FloatArray

_HISTORY_S = 2.0
_SEARCH_EVERY_S = 0.25
_LOST_S = 1.5


class HumCanceller:
    """Searches, follows and rebuilds the hum of channels that share its fundamental.

    Parameters
    ----------
    rate_hz : float
        Of the low band.
    hop : int
        Its samples from one segment to the next.
    delay_s : float
        By so much the low band is late, see ``Decimator``.
    rows : int
        Channels.
    nominal_hz : tuple of float
        The mains frequencies that come into question.
    segments_behind : int
        By so many segments the waveform wanted is older than the newest sample: the look-ahead.
    """

    def __init__(
        self,
        rate_hz: float,
        hop: int,
        delay_s: float,
        rows: int,
        nominal_hz: tuple[float, ...],
        segments_behind: int,
    ) -> None:
        self._hop, self._rows, self._rate_hz = hop, rows, rate_hz
        self._step_s = hop / rate_hz
        self._search = HumSearch(rate_hz, nominal_hz)
        self._analyzers = [HarmonicAnalyzer(hz, rate_hz, int(TOP_HZ / (hz + REACH_HZ))) for hz in nominal_hz]
        self._segments_behind = segments_behind
        self._frames = round(_HISTORY_S / self._step_s) + segments_behind
        longest = max(analyzer.size for analyzer in self._analyzers)
        self._low: FloatArray = np.zeros((rows, max(self._frames * hop + longest, self._search.size)), np.float32)
        self._late_s = delay_s - segments_behind * self._step_s
        self.reset()

    def reset(self) -> None:
        """Forget the past."""
        self._search.reset()
        self._low[:] = 0.0
        self._received = 0
        self._unheard = 0
        self._tracker: HumTracker | None = None
        self._waveform = HumWaveform(self._rows)

    @property
    def silent(self) -> bool:
        """Whether the current segment has no hum."""
        return self._waveform.silent

    @property
    def hum(self) -> tuple[float, ComplexArray] | None:
        """Fundamental in Hz and phasors [rows, harmonics] of the hum that is being removed, or None."""
        if self._tracker is None:
            return None
        phasors = self._tracker.phasors
        return (self._tracker.hz, phasors) if phasors.any() else None

    def read(self, start: float, stop: float, count: int) -> FloatArray:
        """Return samples [rows, count] of the waveform; ``start`` and ``stop`` are shares of the current segment."""
        return self._waveform.read(start, stop, count)

    def advance(self, low: FloatArray | None) -> None:
        """Take the next hop [rows, hop] of the low band, or None after its end, and begin the next segment."""
        if low is not None:
            self._low[:, : -self._hop] = self._low[:, self._hop :]
            self._low[:, -self._hop :] = low
            self._received += self._hop
        if self._tracker is not None:
            self._tracker.follow(None if low is None else self._low[:, -self._tracker.analyzer.size :])
            self._unheard = self._unheard + 1 if self._tracker.lost else 0
            if self._unheard * self._step_s >= _LOST_S:
                self._tracker, self._unheard = None, 0
                self._search.reset()
        elif low is not None:
            self._look_for_hum()
        self._begin_segment()

    def _begin_segment(self) -> None:
        tracker = self._tracker
        if tracker is None:
            self._waveform.fade_out()
            return
        # From the middle of the last frame to the end of the segment that begins.
        lead_s = self._late_s + 0.5 * (tracker.analyzer.size - 1) / self._rate_hz + self._step_s
        self._waveform.glide_to(tracker.phase_at(lead_s), tracker.phasors, tracker.hz * self._step_s)

    def _look_for_hum(self) -> None:
        every = round(_SEARCH_EVERY_S / self._step_s)
        if self._received < self._search.size or self._received // self._hop % every:
            return
        for hz in self._search.propose(self._low[:, -self._search.size :]):
            analyzer = min(self._analyzers, key=lambda analyzer: abs(analyzer.nominal_hz - hz))
            late_s = self._late_s + 0.5 * (analyzer.size - 1) / self._rate_hz
            tracker = HumTracker(analyzer, self._step_s, self._frames, self._rows, max(0.0, -late_s))
            if tracker.start(self._last_frames(analyzer.size), hz):
                self._tracker = tracker
                return

    def _last_frames(self, size: int) -> FloatArray:
        """Return the frames there are, [frames, rows, size]."""
        count = min(self._frames, (self._received - size) // self._hop + 1)
        spans = np.lib.stride_tricks.sliding_window_view(self._low, size, axis=1)
        first = spans.shape[1] - 1 - (count - 1) * self._hop
        return np.ascontiguousarray(spans[:, first :: self._hop].swapaxes(0, 1))
