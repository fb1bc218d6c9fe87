"""How strong an effect should be from one moment to the next: not at all where there is nothing to take away.

A denoiser's output and what it removed tell of the noise. The level of the voice is a slowly falling peak of the one.
That of the noise is what is removed in the pauses of the voice, where such are heard, and never less than a low
quantile of all that is removed, since in heavy noise no pause is left. Of keys and knocks, which are in neither, what
was removed most strongly in the last seconds tells. Where the voice stands far above the noise, as in clean recordings
and in those that were denoised before, the input passes; in between the strength follows the distance. Decisions are
made every 16 ms from what is past, so that they cost no delay.

What a network itself tells of speech and local SNR was tried in the place of these levels, and beside them. Where it
was made to catch what they missed it let less of clean speech pass, and the levels serve every denoiser.
"""

from __future__ import annotations

import numpy as np

from unmuffle.process.stepwise import StepwiseShare
from unmuffle.signal.arrays import BoolArray, FloatArray

FULL_BELOW_DB, NONE_ABOVE_DB = 25.0, 33.0
"""SNR between which the strength falls from 1 to 0."""
BURST_FULL_BELOW_DB, BURST_NONE_ABOVE_DB = 16.0, 22.0
"""The same for what was removed most strongly: less, since a denoiser takes something even off a clean voice."""
BURST_RISES_S, BURST_FALLS_DB_PER_S = 0.03, 4.0
PAUSE_BELOW_VOICE_DB = 18.0
VOICE_FALLS_DB_PER_S = 1.5
VOICE_RISES_S = 0.06
NOISE_RISES_S = 0.08
NOISE_FALLS_DB_PER_S = 10.0
QUANTILE, QUANTILE_DB_PER_S = 0.3, 80.0
STRENGTH_RISES_S, STRENGTH_FALLS_S = 0.1, 0.2
LEAST_VOICE_S, LEAST_PAUSE_S = 0.4, 0.1
"""What must have been heard of both before anything is left alone."""
QUIETEST_DB = -100.0


class AutoStrength(StepwiseShare):
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
        self.link_channels = link_channels
        super().__init__(sample_rate, channels)

    def reset(self, mask: BoolArray | None) -> None:
        """Forget the past of all channels, or of those in the mask."""
        super().reset(mask)
        if mask is None:
            self._energies: FloatArray = np.zeros((2, self.channels))
            self._voice_db: FloatArray = np.full(self.channels, QUIETEST_DB)
            self._noise_db: FloatArray = np.full(self.channels, QUIETEST_DB)
            self._least_db: FloatArray = np.full(self.channels, QUIETEST_DB)
            self._burst_db: FloatArray = np.full(self.channels, QUIETEST_DB)
            self._heard_voice_s: FloatArray = np.zeros(self.channels)
            self._heard_pause_s: FloatArray = np.zeros(self.channels)
            return
        for of_channels in (*self._energies, self._heard_voice_s, self._heard_pause_s):
            of_channels[mask] = 0.0
        for levels in (self._voice_db, self._noise_db, self._least_db, self._burst_db):
            levels[mask] = QUIETEST_DB

    def _take(self, *parts: FloatArray) -> None:
        dry, wet = parts
        self._energies[0] += np.square(wet, dtype=np.float64).sum(axis=1)
        self._energies[1] += np.square(dry - wet, dtype=np.float64).sum(axis=1)

    def _decide(self) -> FloatArray:
        kept_db, removed_db = 10 * np.log10(self._energies / self.period + 10 ** (QUIETEST_DB / 10))
        self._energies[:] = 0.0
        self._follow_voice(kept_db)
        self._follow_noise(kept_db, removed_db)
        return self._next_strength()

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
        risen = self._burst_db + (1 - np.exp(-self._step_s / BURST_RISES_S)) * (removed_db - self._burst_db)
        fallen = np.maximum(self._burst_db - BURST_FALLS_DB_PER_S * self._step_s, removed_db)
        self._burst_db = np.where(removed_db > self._burst_db, risen, fallen)

    def _next_strength(self) -> FloatArray:
        wanted = np.maximum(
            _falling(self._voice_db - self._noise_db, FULL_BELOW_DB, NONE_ABOVE_DB),
            _falling(self._voice_db - self._burst_db, BURST_FULL_BELOW_DB, BURST_NONE_ABOVE_DB),
        )
        known = (self._heard_voice_s >= LEAST_VOICE_S) & (self._heard_pause_s >= LEAST_PAUSE_S)
        wanted = np.where(known, wanted, 1.0)
        if self.link_channels:
            wanted[:] = wanted.max()
        step = np.where(wanted > self._to, self._step_s / STRENGTH_RISES_S, self._step_s / STRENGTH_FALLS_S)
        return np.asarray(self._to + np.clip(wanted - self._to, -step, step))


def _falling(snr_db: FloatArray, full_below_db: float, none_above_db: float) -> FloatArray:
    """Return 1 up to one SNR, 0 from another on, and a line between them."""
    return np.asarray(np.clip((none_above_db - snr_db) / (none_above_db - full_below_db), 0.0, 1.0))
