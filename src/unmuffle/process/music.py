"""Where there is music or singing, and letting it pass.

A logistic regression on the features of ``music_features``, with hysteresis. It was fitted on eight minutes of recorded
music, and on music and singing that a program made (struck, bowed, blown and plucked notes over drums; spectral
envelopes of read speech over melodies), against 190 talkers, as they are, in rooms and in noise, 600 recordings of
noise, and hums.

In six-fold cross-validation, by recording, of the time after the first second were taken for music: three pieces of
recorded music 97 to 100 %, loops of drums 2 to 17 % (with a tune 96 %), music by the program 98 %, singing by it 89 %;
speech 1.0 %, speech in rooms 1.8 %, speech in noise 2.9 %, noise 3.3 %, most of that church bells, a piano, a song,
horns and sirens; steady hums and beeps 16 %. Speech over music counts as music down to 20 dB below the voice (90 %).
Music passes 0.9 s after it begins (median), and what follows it is worked on again after 3.1 s.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unmuffle.process.music_features import NAMES, MusicFeatures
from unmuffle.process.stepwise import StepwiseShare
from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.stft import StftStream

WEIGHTS: Final = {
    "peaks": 0.464,
    "steady_share": -3.226,
    "flux": 0.085,
    "flux_deviation": 1.267,
    "marked_share": -6.759,
    "change_of_peaks": 1.039,
    "marked_power": 5.605,
    "semitones": 13.94,
}
BIAS: Final = -12.04
BEGINS_AT, ENDS_AT = 0.7, 0.5
"""Presence from which on there is music, and below which there is none any more."""
LEAST_HEARD_S = 1.2
SPARED_AFTER_S, TAKEN_AFTER_S = 0.4, 0.2
"""How long the strength takes from 1 to 0, and back."""
_LOUDEST = 1e6
_WEIGHTS = np.array([WEIGHTS[name] for name in NAMES])


class MusicSparing(StepwiseShare):
    """Says how much of an effect is to be heard: all of it in speech and noise, nothing in music and singing.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    channels : int
        Rows of every block.
    link_channels : bool, default False
        Spare all channels where there is music in one of them.
    """

    def __init__(self, sample_rate: int, channels: int, *, link_channels: bool = False) -> None:
        self.link_channels = link_channels
        self._features = MusicFeatures(sample_rate, channels)
        self._stft = StftStream(self._features.grid, channels, 1)
        super().__init__(sample_rate, channels)

    def reset(self, mask: BoolArray | None) -> None:
        """Forget the past of all channels, or of those in the mask."""
        super().reset(mask)
        self._stft.reset(mask)
        self._features.reset(mask)
        if mask is None:
            self.presence: FloatArray = np.zeros(self.channels)
            self._is_music: BoolArray = np.zeros(self.channels, np.bool_)
        else:
            self.presence[mask], self._is_music[mask] = 0.0, False

    def _take(self, *parts: FloatArray) -> None:
        for spectra in self._stft.analyze(np.clip(parts[0], -_LOUDEST, _LOUDEST)):
            score = (self._features.hear(spectra[0]) * _WEIGHTS).sum(axis=1) + BIAS
            self.presence = 0.5 + 0.5 * np.tanh(0.5 * score)

    def _decide(self) -> FloatArray:
        known = self._features.heard_s >= LEAST_HEARD_S
        self._is_music = known & (self.presence > np.where(self._is_music, ENDS_AT, BEGINS_AT))
        spared = self._is_music
        if self.link_channels:
            spared = np.full(self.channels, spared.any())
        wanted = np.where(spared, 0.0, 1.0)
        step = np.where(spared, self._step_s / SPARED_AFTER_S, self._step_s / TAKEN_AFTER_S)
        return np.asarray(self._to + np.clip(wanted - self._to, -step, step))
