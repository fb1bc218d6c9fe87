"""Gate with hysteresis, hold and look-back.

It opens when a sample exceeds the threshold, stays open as long as samples exceed a lower threshold and for the hold
after the last of them, and lets the level die away then. The audio is delayed, so that the gate is open before the
sound that opens it: the onset stays. Opening and closing are running maxima of the times at which something happened,
so no sample needs a loop. After U. Zölzer (ed.), "DAFX: Digital Audio Effects", 2nd ed. 2011, section 4.2 (noise gate);
the look-back is ours. Left out: a side chain.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.level.dynamics import DynamicsProcessor, amplitude, loudest_channel
from unmuffle.level.envelope import DecayingPeak
from unmuffle.level.settings import within
from unmuffle.level.windows import SlidingMean
from unmuffle.process import process_whole
from unmuffle.process.processor import NonFinite
from unmuffle.signal.arrays import AnyArray, BoolArray, FloatArray
from unmuffle.signal.grid import check_sample_rate

_LONG_AGO = -(1 << 62)


class Gate(DynamicsProcessor):
    """Makes softer what is softer than a threshold: the pauses, if the voice is well above them.

    It cannot tell a voice from other sounds; where the two are close, a suppressor of noise does better.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    threshold_db : float, default -45.0
        Level of the peaks in dBFS that opens the gate, -120 to 20.
    hysteresis_db : float, default 6.0
        How far below the threshold the level must fall before the gate closes, 0 to 60: it then does not flutter.
    range_db : float, default 20.0
        How much softer the closed gate makes the audio, 0 (no effect) to 120.
    attack_ms : float, default 2.0
        How long it takes to open, in equal steps of dB, 0.1 to 100.
    look_back_ms : float, default 8.0
        How long before the sound that opens it the gate is wide open, 0 to 500. The latency is this and the attack.
    hold_ms : float, default 100.0
        How long it stays open after the level has fallen, 0 to 5,000. At less than a period of the voice (12 ms) it
        closes within one.
    release_ms : float, default 100.0
        Time constant of the closing, 1 to 5,000: after it the gain in dB is 63 % of the way to the range.
    link_channels : bool, default False
        Open and close all channels together, by the loudest, so that the stereo image stays.
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
        threshold_db: float = -45.0,
        hysteresis_db: float = 6.0,
        range_db: float = 20.0,
        attack_ms: float = 2.0,
        look_back_ms: float = 8.0,
        hold_ms: float = 100.0,
        release_ms: float = 100.0,
        link_channels: bool = False,
        nonfinite: NonFinite = "raise",
    ) -> None:
        rate = check_sample_rate(sample_rate)
        within("threshold_db", threshold_db, -120.0, 20.0)
        within("hysteresis_db", hysteresis_db, 0.0, 60.0)
        within("range_db", range_db, 0.0, 120.0)
        attack = max(1, round(rate * 1e-3 * within("attack_ms", attack_ms, 0.1, 100.0)))
        look_back = round(rate * 1e-3 * within("look_back_ms", look_back_ms, 0.0, 500.0))
        hold = round(rate * 1e-3 * within("hold_ms", hold_ms, 0.0, 5000.0))
        release_s = 1e-3 * within("release_ms", release_ms, 1.0, 5000.0)
        super().__init__(rate, channels, look_back + attack - 1, link_channels=link_channels, nonfinite=nonfinite)
        self._range_db = range_db
        self._states = _OpenOrClosed(self.rows, threshold_db, hysteresis_db, hold)
        self._release = DecayingPeak(rate, self.rows, release_s)
        self._attack = SlidingMean(self.rows, attack)

    def _gains(self, piece: FloatArray) -> FloatArray:
        is_open = self._states.follow(loudest_channel(np.abs(piece), self.rows))
        openness_db = self._attack.follow(self._release.follow(self._range_db * is_open))
        return amplitude(openness_db - self._range_db)

    @property
    def _known(self) -> tuple[AnyArray, ...]:
        return (*self._states.row_states, *self._release.row_states, *self._attack.row_states)

    def _forget(self, mask: BoolArray | None) -> None:
        for part in (self._states, self._release, self._attack):
            part.reset(mask)


class _OpenOrClosed:
    """Whether each sample finds the gate open: a trigger with hysteresis and hold."""

    def __init__(self, rows: int, threshold_db: float, hysteresis_db: float, hold: int) -> None:
        self._opens = np.float32(10.0 ** (threshold_db / 20.0))
        self._keeps_open = np.float32(10.0 ** ((threshold_db - hysteresis_db) / 20.0))
        self._hold = hold
        # When, counted from the next sample, the level was last above either threshold, and the gate last found closed.
        self._last = np.full((3, rows, 1), _LONG_AGO, np.int64)

    def follow(self, magnitudes: FloatArray) -> BoolArray:
        """Return whether the gate is open at the next magnitudes, both [rows, n]."""
        count = magnitudes.shape[1]
        if count == 0:
            return np.zeros(magnitudes.shape, np.bool_)
        now = np.arange(count)
        opened = self._latest(0, magnitudes >= self._opens, now)
        kept = self._latest(1, magnitudes >= self._keeps_open, now)
        closed = self._latest(2, now - kept > self._hold, now)
        self._last = np.maximum(self._last - count, _LONG_AGO)
        return opened > closed

    def _latest(self, which: int, happens: BoolArray, now: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return when something last happened, [rows, n], counted from the first of these samples."""
        times = np.where(happens, now, _LONG_AGO)
        np.maximum(times[:, :1], self._last[which], out=times[:, :1])
        np.maximum.accumulate(times, axis=1, out=times)
        self._last[which] = times[:, -1:]
        return times

    @property
    def row_states(self) -> tuple[AnyArray, ...]:
        return (self._last.swapaxes(0, 1),)

    def reset(self, mask: BoolArray | None) -> None:
        """Close, all rows or those of the mask [rows]."""
        self._last[:, slice(None) if mask is None else mask] = _LONG_AGO


def apply_gate(
    audio: npt.ArrayLike,
    sample_rate: int,
    *,
    threshold_db: float = -45.0,
    hysteresis_db: float = 6.0,
    range_db: float = 20.0,
    attack_ms: float = 2.0,
    look_back_ms: float = 8.0,
    hold_ms: float = 100.0,
    release_ms: float = 100.0,
    link_channels: bool = True,
) -> AnyArray:
    """Return audio ``[samples]`` or ``[channels, samples]`` gated; see ``Gate`` for the parameters."""
    return process_whole(
        audio,
        lambda channels: Gate(
            sample_rate,
            channels,
            threshold_db=threshold_db,
            hysteresis_db=hysteresis_db,
            range_db=range_db,
            attack_ms=attack_ms,
            look_back_ms=look_back_ms,
            hold_ms=hold_ms,
            release_ms=release_ms,
            link_channels=link_channels,
        ),
    )
