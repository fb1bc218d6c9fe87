"""A de-plosive: pops of breath on the microphone are taken out of the low band while they last.

A frame is a pop if the band below 150 Hz stands high over the voice's band of the same moment, over the level of the
voice on the long run, and over what that low band was before. A deep voice has its fundamental there as well, but below
the level of its vowels and together with them; rumble and DC do not come and go. The detection is our own.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from unmuffle.process.processor import NonFinite
from unmuffle.process.whole import process_whole
from unmuffle.repair.running_level import RunningMean, VoiceLevel
from unmuffle.repair.split_band import Energies, SplitBandProcessor, check_decibels, decibels, rising
from unmuffle.signal.arrays import AnyArray, BoolArray

CUTOFF_HZ = 150.0

_MOST_REDUCTION_DB = 40.0
_BEFORE_MEMORY_S = 0.3
_LOW_HEAVY_DB = (6.0, 10.0)
"""Low band over the voice's band, beyond the threshold: from here on a pop, and surely one."""

_JUMP_DB = (6.0, 10.0)
"""Low band over what it was before, beyond the threshold."""

_SLOPE = 3.0
_FLOOR_DB = -30.0
"""Below the voice's level by more, what was before is silence."""


class Deplosive(SplitBandProcessor):
    """Takes pops of plosives out of the low band; everything else comes back bit for bit.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    max_reduction_db : float, default 20
        The shelf below 200 Hz is never deeper, 0 to 40 dB.
    threshold_db : float, default 2
        Level of a pop over that of the voice, in dB, up to which it is left alone, -40 to 20; lower treats more, and
        makes all that tells a pop from a voice less strict.
    link_channels : bool, default False
        Detect in all channels together and give them the same reduction.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Raises
    ------
    InvalidParameterError
        If a parameter is outside its range.
    """

    frame_s = 0.004
    hold_frames = 5
    shelf_hz = 200.0
    shelf_is_high = False

    def __init__(
        self,
        sample_rate: int,
        channels: int = 1,
        *,
        max_reduction_db: float = 20.0,
        threshold_db: float = 2.0,
        link_channels: bool = False,
        nonfinite: NonFinite = "raise",
    ) -> None:
        super().__init__(sample_rate, channels, link_channels=link_channels, nonfinite=nonfinite)
        self._most_db = check_decibels("max_reduction_db", max_reduction_db, 0.0, _MOST_REDUCTION_DB)
        self._threshold_db = check_decibels("threshold_db", threshold_db, -40.0, 20.0)
        self._voice_level = VoiceLevel(self.channels, self.frame_s, self._energy_samples)
        self._before_db = RunningMean(self.channels, _BEFORE_MEMORY_S / self.frame_s)

    def _band_filter(self) -> npt.NDArray[np.float64]:
        from scipy.signal import butter

        sections: npt.NDArray[np.float64] = butter(2, CUTOFF_HZ, "lowpass", fs=self.sample_rate, output="sos")
        return sections

    def _reductions_db(self, band: Energies, voice: Energies) -> Energies:
        level_db, band_db = decibels(self._voice_level.process(voice)), decibels(band)
        before_db = self._before_db.process(np.maximum(band_db, level_db + _FLOOR_DB), np.ones_like(band))
        above_db = band_db - self._threshold_db
        pop = rising(above_db - decibels(voice), _LOW_HEAVY_DB) * rising(above_db - before_db, _JUMP_DB)
        # Steeper than the excess, since what follows the peak of a burst lies lower and belongs to it.
        reductions: Energies = np.clip(_SLOPE * (above_db - level_db), 0.0, self._most_db) * pop
        return reductions

    def _reset(self, mask: BoolArray | None) -> None:
        super()._reset(mask)
        self._voice_level.reset(mask)
        self._before_db.reset(mask)


def deplosive(
    audio: npt.ArrayLike,
    sample_rate: int,
    *,
    max_reduction_db: float = 20.0,
    threshold_db: float = 2.0,
    link_channels: bool = False,
) -> AnyArray:
    """Return audio whose pops of plosives are taken out; see ``Deplosive``.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``; float (full scale 1.0), int16 or int32.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    max_reduction_db, threshold_db, link_channels
        As those of ``Deplosive``.

    Returns
    -------
    ndarray
        Of the shape and type of ``audio``.
    """
    make = partial(
        Deplosive,
        sample_rate,
        max_reduction_db=max_reduction_db,
        threshold_db=threshold_db,
        link_channels=link_channels,
    )
    return process_whole(audio, make)
