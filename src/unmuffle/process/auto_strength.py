"""How strong an effect should be from one moment to the next: not at all where there is nothing to take away.

A denoiser's output and what it removed tell of the noise. The level of the voice is a slowly falling peak of the one.
That of the noise is what is removed in the pauses of the voice, where such are heard, and never less than a low
quantile of all that is removed, since in heavy noise no pause is left. Where the voice stands far above the noise, as
in clean recordings and in those that were denoised before, the input passes; in between the strength follows the
distance. Decisions are made every 16 ms from what is past, so that they cost no delay.
"""

from __future__ import annotations

import numpy as np

from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.grid import grid_for

FULL_BELOW_DB, NONE_ABOVE_DB = 22.0, 30.0
"""SNR between which the strength falls from 1 to 0."""
PAUSE_BELOW_VOICE_DB = 18.0
VOICE_FALLS_DB_PER_S = 1.5
VOICE_RISES_S = 0.06
NOISE_RISES_S = 0.08
NOISE_FALLS_DB_PER_S = 4.0
QUANTILE, QUANTILE_DB_PER_S = 0.3, 80.0
STRENGTH_RISES_S, STRENGTH_FALLS_S = 0.1, 0.6
LEAST_VOICE_S, LEAST_PAUSE_S = 0.8, 0.2
"""What must have been heard of both before anything is left alone."""
QUIETEST_DB = -100.0


class AutoStrength:
    """Follows voice and noise in the input and the output of a denoiser, and says how much of it is to be heard.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    channels : int
        Rows of every block.
    link_channels : bool, default False
        One strength for all channels: the largest that one of them needs.
    """

    def __init__(self, sample_rate: int, channels: int, *, link_channels: bool = False) -> None:
        self.period = grid_for(sample_rate).hop
        self.link_channels = link_channels
        self._step_s = self.period / sample_rate
        self._channels = channels
        self.reset(None)

    def reset(self, mask: BoolArray | None) -> None:
        """Forget the past of all channels, or of those in the mask."""
        if mask is None:
            self._filled = 0
            self._energies: FloatArray = np.zeros((2, self._channels))
            self._voice_db: FloatArray = np.full(self._channels, QUIETEST_DB)
            self._noise_db: FloatArray = np.full(self._channels, QUIETEST_DB)
            self._least_db: FloatArray = np.full(self._channels, QUIETEST_DB)
            self._heard_voice_s: FloatArray = np.zeros(self._channels)
            self._heard_pause_s: FloatArray = np.zeros(self._channels)
            self._from: FloatArray = np.ones(self._channels)
            self._to: FloatArray = np.ones(self._channels)
            self.sum_of_strengths, self.periods = 0.0, 0
            return
        for of_channels in (*self._energies, self._heard_voice_s, self._heard_pause_s):
            of_channels[mask] = 0.0
        for levels in (self._voice_db, self._noise_db, self._least_db):
            levels[mask] = QUIETEST_DB
        for strengths in (self._from, self._to):
            strengths[mask] = 1.0

    @property
    def mean_strength(self) -> float:
        """Mean over time and channels since the start."""
        return self.sum_of_strengths / self.periods if self.periods else 1.0

    def shares(self, dry: FloatArray, wet: FloatArray) -> FloatArray:
        """Return the strength of each sample, float32 [channels, n], for the next samples of both [channels, n]."""
        out: FloatArray = np.empty(dry.shape, np.float32)
        done = 0
        while done < dry.shape[1]:
            taken = min(dry.shape[1] - done, self.period - self._filled)
            part = slice(done, done + taken)
            # A whole period glides from one strength to the next.
            ramp = (self._filled + np.arange(1, taken + 1)) / self.period
            out[:, part] = self._from[:, None] + (self._to - self._from)[:, None] * ramp
            self._energies[0] += np.square(wet[:, part], dtype=np.float64).sum(axis=1)
            self._energies[1] += np.square(dry[:, part] - wet[:, part], dtype=np.float64).sum(axis=1)
            self._filled += taken
            done += taken
            if self._filled == self.period:
                self._decide()
        return out

    def _decide(self) -> None:
        """Take in the period that has ended and choose where the next one glides to."""
        kept_db, removed_db = 10 * np.log10(self._energies / self.period + 10 ** (QUIETEST_DB / 10))
        self._energies[:] = 0.0
        self._filled = 0
        self._follow_voice(kept_db)
        self._follow_noise(kept_db, removed_db)
        self._from = self._to
        self._to = self._next_strength()
        self.sum_of_strengths += float(self._to.mean())
        self.periods += 1

    def _follow_voice(self, kept_db: FloatArray) -> None:
        rising = kept_db > self._voice_db
        rise = np.where(self._voice_db == QUIETEST_DB, 1.0, 1 - np.exp(-self._step_s / VOICE_RISES_S))
        fallen = np.maximum(self._voice_db - VOICE_FALLS_DB_PER_S * self._step_s, QUIETEST_DB)
        self._voice_db = np.where(rising, self._voice_db + rise * (kept_db - self._voice_db), fallen)
        spoken = (kept_db > self._voice_db - PAUSE_BELOW_VOICE_DB) & (kept_db > QUIETEST_DB + 1.0)
        self._heard_voice_s += self._step_s * spoken

    def _follow_noise(self, kept_db: FloatArray, removed_db: FloatArray) -> None:
        pause = kept_db < self._voice_db - PAUSE_BELOW_VOICE_DB
        risen = self._noise_db + (1 - np.exp(-self._step_s / NOISE_RISES_S)) * (removed_db - self._noise_db)
        fallen = np.maximum(self._noise_db - NOISE_FALLS_DB_PER_S * self._step_s, removed_db)
        followed = np.where(removed_db > self._noise_db, risen, fallen)
        step_db = QUANTILE_DB_PER_S * self._step_s * np.where(removed_db > self._least_db, QUANTILE, QUANTILE - 1.0)
        self._least_db = np.maximum(self._least_db + step_db, QUIETEST_DB)
        self._noise_db = np.maximum(np.where(pause, followed, self._noise_db), self._least_db)
        self._heard_pause_s += self._step_s * (pause & (self._heard_voice_s > 0.0))

    def _next_strength(self) -> FloatArray:
        snr_db = self._voice_db - self._noise_db
        wanted = np.clip((NONE_ABOVE_DB - snr_db) / (NONE_ABOVE_DB - FULL_BELOW_DB), 0.0, 1.0)
        known = (self._heard_voice_s >= LEAST_VOICE_S) & (self._heard_pause_s >= LEAST_PAUSE_S)
        wanted = np.where(known, wanted, 1.0)
        if self.link_channels:
            wanted[:] = wanted.max()
        step = np.where(wanted > self._to, self._step_s / STRENGTH_RISES_S, self._step_s / STRENGTH_FALLS_S)
        return np.asarray(self._to + np.clip(wanted - self._to, -step, step))
