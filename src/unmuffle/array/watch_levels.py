"""Signs of microphones that are dead, too quiet or too loud."""

from __future__ import annotations

import numpy as np

from unmuffle.array.faults import (
    DEAD_DB,
    DEAD_RMS,
    OFF_DB,
    MicrophoneFault,
    detail_of_level,
    levels_against_others_db,
    usual_level,
)
from unmuffle.array.watch_latch import Latch
from unmuffle.signal.arrays import BoolArray, FloatArray

RIGHT_DB = 9.0
"""Within so much of the others a level is right again."""
EPOCHS_DEAD, EPOCHS_OFF, EPOCHS_RIGHT = 2, 6, 8
LEAST_RMS = 1e-6
SPEAKING = 0.1
"""Level against the loudest of late."""
MEMORY_EPOCHS = 80.0


class LevelSigns:
    """Compares levels, epoch by epoch.

    Parameters
    ----------
    channels : int
    """

    def __init__(self, channels: int) -> None:
        self._dead = Latch(channels, EPOCHS_DEAD, EPOCHS_RIGHT)
        self._off = Latch(channels, EPOCHS_OFF, EPOCHS_RIGHT)
        self._rms: FloatArray = np.zeros(channels)
        self._apart_db: FloatArray = np.zeros(channels)
        self._loudest = 0.0
        # At its first call numpy imports what medians need, which takes too long in the middle of a stream.
        usual_level(np.ones(3))

    @property
    def wrong(self) -> BoolArray:
        """Which microphones are dead or of a wrong level, bool [channels]."""
        return np.asarray(self._dead.on | self._off.on)

    def update(self, samples: FloatArray) -> bool:
        """Take the samples of an epoch [channels, n] in; return whether they are about as loud as those of late."""
        rms = np.sqrt(np.square(samples, dtype=np.float64).mean(axis=1))
        usual = usual_level(rms)
        self._loudest = max(usual, self._loudest * np.exp(-1.0 / MEMORY_EPOCHS))
        if usual < LEAST_RMS:
            return False
        apart_db = levels_against_others_db(rms)
        silent = (rms < DEAD_RMS) | (apart_db < DEAD_DB)
        self._dead.update(silent, ~silent)
        speaking = usual >= SPEAKING * self._loudest
        # While a level comes back, what is told is still what was wrong.
        told = silent | (speaking & (np.abs(apart_db) > RIGHT_DB))
        self._rms, self._apart_db = np.where(told, rms, self._rms), np.where(told, apart_db, self._apart_db)
        if speaking:
            self._off.update((np.abs(apart_db) > OFF_DB) & ~silent, np.abs(apart_db) <= RIGHT_DB)
        return speaking

    def faults(self) -> list[MicrophoneFault]:
        """Return what is wrong now."""
        return [
            MicrophoneFault(
                channel, self._kind(channel), detail_of_level(float(self._rms[channel]), float(self._apart_db[channel]))
            )
            for channel in np.flatnonzero(self.wrong).tolist()
        ]

    def _kind(self, channel: int) -> str:
        if self._dead.on[channel]:
            return "dead"
        return "quiet" if self._apart_db[channel] < 0.0 else "loud"

    def reset(self) -> None:
        """Forget the past."""
        self._dead.reset()
        self._off.reset()
        self._loudest = 0.0
