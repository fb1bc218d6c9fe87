"""A fixed gain that glides where it is changed."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from unmuffle.level.settings import within
from unmuffle.process import process_whole
from unmuffle.process.processor import NonFinite, Processor
from unmuffle.signal.arrays import AnyArray, BoolArray, FloatArray

LOWEST_DB, HIGHEST_DB = -200.0, 200.0
GLIDE_S = 0.05
"""How long a change takes: as long as a syllable's onset, too slow for a click and too quick for a fade."""


class Gain(Processor):
    """Makes audio louder or softer, all channels alike.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    gain_db : float, default 0.0
        -200 to 200 dB; 0 returns the input bit for bit. May be changed while the stream runs: the gain then glides
        there within 50 ms, in equal steps of dB.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Raises
    ------
    InvalidParameterError
        If a parameter is out of its range.
    """

    loudest: ClassVar[float] = 1e6

    def __init__(
        self, sample_rate: int, channels: int = 1, *, gain_db: float = 0.0, nonfinite: NonFinite = "raise"
    ) -> None:
        super().__init__(sample_rate, channels, nonfinite=nonfinite)
        self._gain_db = self._target_db = within("gain_db", gain_db, LOWEST_DB, HIGHEST_DB)
        self._step_db = 0.0

    @property
    def gain_db(self) -> float:
        """The gain that holds, or that it glides to, in dB."""
        return self._target_db

    @gain_db.setter
    def gain_db(self, gain_db: float) -> None:
        self._target_db = within("gain_db", gain_db, LOWEST_DB, HIGHEST_DB)
        self._step_db = (self._target_db - self._gain_db) / (GLIDE_S * self.sample_rate)

    @property
    def latency(self) -> int:
        """None."""
        return 0

    @property
    def row_states(self) -> tuple[AnyArray, ...]:
        """Nothing."""
        return ()

    def _process(self, block: FloatArray) -> FloatArray:
        if self._gain_db == self._target_db or block.shape[1] == 0:
            return block * np.float32(10.0 ** (self._gain_db / 20.0))
        glide_db = self._gain_db + self._step_db * np.arange(1, block.shape[1] + 1)
        bound = np.minimum if self._step_db > 0.0 else np.maximum
        glide_db = bound(glide_db, self._target_db)
        self._gain_db = float(glide_db[-1])
        louder: FloatArray = (block * 10.0 ** (glide_db / 20.0)).astype(np.float32)
        return louder

    def _flush(self) -> FloatArray:
        return np.zeros((self.channels, 0), np.float32)

    def _reset(self, mask: BoolArray | None) -> None:
        if mask is None:
            self._gain_db = self._target_db


def apply_gain(audio: npt.ArrayLike, sample_rate: int, *, gain_db: float = 0.0) -> AnyArray:
    """Return audio ``[samples]`` or ``[channels, samples]`` louder or softer; see ``Gain``."""
    return process_whole(audio, lambda channels: Gain(sample_rate, channels, gain_db=gain_db))
