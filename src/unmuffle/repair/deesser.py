"""A de-esser: sharp sibilants are turned down to what suits the voice's own level.

A frame is a sibilant if more is heard above 5 kHz than in the voice's band, and more than there is on the long run. It
is sharp if it stands too high over the level of the voice on the long run. The detection is our own.
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

CUTOFF_HZ = 5_000.0
_LEAST_BAND_HZ = 2_000.0
_MOST_REDUCTION_DB = 24.0

_MEMORY_S = 3.0
_SIBILANT_DB = (0.0, 6.0)
"""High band over the voice's band: from here on a sibilant, and surely one."""

_PASSING_DB = (2.0, 5.0)
"""High band over its own long-term mean: steady hiss is no sibilant."""


class DeEsser(SplitBandProcessor):
    """Turns down sibilants that are too sharp for the voice; everything else comes back bit for bit.

    At rates below 14 kHz, which have no band for it, it does nothing at all.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    max_reduction_db : float, default 6
        The shelf above 4 kHz is never deeper, 0 to 24 dB.
    threshold_db : float, default -4
        Level of a sibilant over that of the voice, in dB, up to which it is left alone; lower treats more, -40 to 20.
    link_channels : bool, default False
        Detect in all channels together and give them the same reduction, so that a voice keeps its place.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Raises
    ------
    InvalidParameterError
        If a parameter is outside its range.
    """

    frame_s = 0.002
    hold_frames = 6
    shelf_hz = 4_000.0
    shelf_is_high = True

    def __init__(
        self,
        sample_rate: int,
        channels: int = 1,
        *,
        max_reduction_db: float = 6.0,
        threshold_db: float = -4.0,
        link_channels: bool = False,
        nonfinite: NonFinite = "raise",
    ) -> None:
        super().__init__(sample_rate, channels, link_channels=link_channels, nonfinite=nonfinite)
        self._most_db = check_decibels("max_reduction_db", max_reduction_db, 0.0, _MOST_REDUCTION_DB)
        self._threshold_db = check_decibels("threshold_db", threshold_db, -40.0, 20.0)
        self._voice_level = VoiceLevel(self.channels, self.frame_s, self._energy_samples)
        self._band_level = RunningMean(self.channels, _MEMORY_S / self.frame_s)

    def _band_filter(self) -> npt.NDArray[np.float64] | None:
        from scipy.signal import butter

        if 0.5 * self.sample_rate < CUTOFF_HZ + _LEAST_BAND_HZ:
            return None
        sections: npt.NDArray[np.float64] = butter(2, CUTOFF_HZ, "highpass", fs=self.sample_rate, output="sos")
        return sections

    def _reductions_db(self, band: Energies, voice: Energies) -> Energies:
        level = self._voice_level.process(voice)
        usual = self._band_level.process(band, np.ones_like(band))
        excess_db = decibels(band / level) - self._threshold_db
        sibilant = rising(decibels(band / voice), _SIBILANT_DB) * rising(decibels(band / usual), _PASSING_DB)
        reductions: Energies = np.clip(excess_db, 0.0, self._most_db) * sibilant
        return reductions

    def _reset(self, mask: BoolArray | None) -> None:
        super()._reset(mask)
        self._voice_level.reset(mask)
        self._band_level.reset(mask)


def deess(
    audio: npt.ArrayLike,
    sample_rate: int,
    *,
    max_reduction_db: float = 6.0,
    threshold_db: float = -4.0,
    link_channels: bool = False,
) -> AnyArray:
    """Return audio whose sharp sibilants are turned down; see ``DeEsser``.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``; float (full scale 1.0), int16 or int32.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    max_reduction_db, threshold_db, link_channels
        As those of ``DeEsser``.

    Returns
    -------
    ndarray
        Of the shape and type of ``audio``.
    """
    make = partial(
        DeEsser,
        sample_rate,
        max_reduction_db=max_reduction_db,
        threshold_db=threshold_db,
        link_channels=link_channels,
    )
    return process_whole(audio, make)
