"""The gain of the leveller, from the power of frames and how surely each is speech.

The power of speech is averaged over three seconds of it, which evens out the ups and downs of one talker. A change of
talker or distance shows in the peaks of the syllables, held for as long as a syllable takes: where they part from
their own mean, the averages are moved along with them and forget what came before. (A detector of changes in front of
an estimator: F. Gustafsson, "Adaptive filtering and change detection", Wiley, 2000, chapter 1.)
"""

from __future__ import annotations

import numpy as np

from unmuffle.level.spectral_loudness import OFFSET_DB
from unmuffle.signal.arrays import AnyArray, BoolArray, FloatArray
from unmuffle.signal.grid import Grid

VOICED_OVER_GATED_DB = 1.0
"""By how much voiced frames are louder than the gated blocks of BS.1770, which hold unvoiced sounds and pauses."""

LONG_S, SHORT_S = 3.0, 0.2
"""Span of the averages, and what is left of it after a change."""

HOLD_S, DECAY_DB_PER_S = 0.2, 150.0
CHANGE_DB = (6.0, 9.0)
"""Peaks this far from their mean begin to be, and surely are, another talker or distance."""

SETTLING_S = 0.12
_QUIETEST = 1e-12


class GainControl:
    """Follows the level of speech, and moves the gain to where it brings that to the target.

    Parameters
    ----------
    grid : Grid
        Gives the time from frame to frame.
    channels : int
        Gains, each with its own state.
    target_lufs : float
        Where speech is to be.
    range_db : (float, float)
        Lowest and highest gain.
    speed_db_per_s : (float, float)
        Fastest fall, below 0, and fastest rise.
    """

    def __init__(
        self,
        grid: Grid,
        channels: int,
        target_lufs: float,
        range_db: tuple[float, float],
        speed_db_per_s: tuple[float, float],
    ) -> None:
        self._target_db = target_lufs + VOICED_OVER_GATED_DB - OFFSET_DB
        self._range_db = range_db
        self._most_fall_db, self._most_rise_db = (speed * grid.hop_s for speed in speed_db_per_s)
        self._long, self._short = LONG_S / grid.hop_s, SHORT_S / grid.hop_s
        self._hold = HOLD_S / grid.hop_s
        self._decay_db = -DECAY_DB_PER_S * grid.hop_s
        self._settling = grid.hop_s / SETTLING_S
        self.gain_db = np.zeros(channels)
        # How much speech, in frames, the averages rest on.
        self._heard = np.zeros(channels)
        self._power = np.zeros(channels)
        self._peak_db, self._mean_peak_db, self._since = np.zeros(channels), np.zeros(channels), np.zeros(channels)

    @property
    def row_states(self) -> tuple[AnyArray, ...]:
        """What is known of the channels, arrays [channels]; views."""
        return self.gain_db, self._heard, self._power, self._peak_db, self._mean_peak_db, self._since

    def reset(self, mask: BoolArray | None = None) -> None:
        """Forget all channels, or those of the mask [channels]."""
        chosen = slice(None) if mask is None else mask
        self.gain_db[chosen] = 0.0
        for state in (self._heard, self._power, self._peak_db, self._mean_peak_db, self._since):
            state[chosen] = 0.0

    def gains_db(self, power: FloatArray, voiced: FloatArray, held: FloatArray) -> FloatArray:
        """Return the gain after each of the next frames, all arrays [frames, channels].

        Parameters
        ----------
        power : float64
            K-weighted mean square.
        voiced, held : float64
            How surely the frame tells the level of speech, and how surely somebody speaks, 0 to 1.
        """
        gains_db = np.empty(power.shape)
        for frame in range(len(power)):
            if held[frame].any():
                self._listen(power[frame], voiced[frame])
                self._move(held[frame])
            gains_db[frame] = self.gain_db
        return gains_db

    def _listen(self, power: FloatArray, voiced: FloatArray) -> None:
        loud_db = 10.0 * np.log10(power + _QUIETEST)
        louder = (loud_db > self._peak_db) | (self._heard == 0.0)
        self._since = np.where(louder, self._since * (1.0 - voiced), self._since + voiced)
        fallen_db = np.maximum(loud_db - self._peak_db, self._decay_db * (self._since > self._hold))
        self._peak_db += np.where(self._heard == 0.0, loud_db - self._peak_db, voiced * fallen_db)
        self._heard += voiced
        np.minimum(self._heard, self._long, out=self._heard)
        share = voiced / np.maximum(self._heard, 1e-3)
        self._power += share * (power - self._power)
        self._mean_peak_db += share * (self._peak_db - self._mean_peak_db)
        apart_db = self._peak_db - self._mean_peak_db
        low, high = CHANGE_DB
        changed = np.clip((np.abs(apart_db) - low) / (high - low), 0.0, 1.0) * voiced
        self._mean_peak_db += changed * apart_db
        self._power *= 10.0 ** (changed * apart_db / 10.0)
        self._heard += changed * np.minimum(self._short - self._heard, 0.0)

    def _move(self, held: FloatArray) -> None:
        level_db = 10.0 * np.log10(self._power + _QUIETEST)
        wanted_db = np.clip(self._target_db - level_db, *self._range_db)
        step_db = np.clip((wanted_db - self.gain_db) * self._settling, self._most_fall_db, self._most_rise_db)
        self.gain_db += held * step_db * (self._heard > 0.0)
