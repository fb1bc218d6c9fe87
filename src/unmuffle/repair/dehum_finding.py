"""What hum there is in a recording, for reports: found and followed as it would be to remove it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmuffle.repair.dehum import Dehummer, HumHarmonic
from unmuffle.signal.arrays import FloatArray, as_channels, check_finite


@dataclass(frozen=True)
class FoundHum:
    """The hum of one channel.

    Attributes
    ----------
    fundamental_hz : float or None
        Mean over the time it was heard; None where there is no hum, or the recording is shorter than 1 s.
    lowest_hz, highest_hz : float or None
        Between which it drifted.
    seconds : float
        How long it was heard.
    level_dbfs : float or None
        Of all lines together while they were heard; a full-scale sine has -3.0.
    harmonics : tuple of HumHarmonic
        Mean level of each line over the time the hum was heard, in order of frequency.
    """

    fundamental_hz: float | None = None
    lowest_hz: float | None = None
    highest_hz: float | None = None
    seconds: float = 0.0
    level_dbfs: float | None = None
    harmonics: tuple[HumHarmonic, ...] = ()


def find_hum(audio: npt.ArrayLike, sample_rate: int, *, mains_hz: float = 0.0) -> tuple[FoundHum, ...]:
    """Return the mains hum of each channel of ``[samples]`` or ``[channels, samples]``.

    Parameters
    ----------
    audio : array_like
        Float (full scale 1.0), int16 or int32.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    mains_hz : float, default 0
        As that of ``Dehummer``.

    Raises
    ------
    InvalidAudioError
        If the audio has a wrong shape or type, or holds NaN or infinity.
    """
    samples = as_channels(audio)
    check_finite("audio", samples)
    return tuple(_found(row[None], sample_rate, mains_hz) for row in samples)


def _found(row: FloatArray, sample_rate: int, mains_hz: float) -> FoundHum:
    dehummer = Dehummer(sample_rate, mains_hz=mains_hz)
    step = dehummer.block_period
    fundamentals, powers = [], np.zeros(0)
    for start in range(0, row.shape[1] - step + 1, step):
        dehummer.process(row[:, start : start + step])
        hz = float(dehummer.fundamental_hz[0])
        if np.isnan(hz):
            continue
        fundamentals.append(hz)
        for line in dehummer.harmonics[0]:
            powers = np.pad(powers, (0, max(0, line.number - powers.size)))
            powers[line.number - 1] += 10.0 ** (line.level_dbfs / 10.0)
    if not fundamentals:
        return FoundHum()
    mean_hz, powers_db = float(np.mean(fundamentals)), _decibels(powers / len(fundamentals))
    lines = tuple(
        HumHarmonic(int(index) + 1, (int(index) + 1) * mean_hz, float(powers_db[index]))
        for index in np.flatnonzero(powers)
    )
    total_db = float(_decibels(np.array([powers.sum() / len(fundamentals)]))[0])
    return FoundHum(
        mean_hz, min(fundamentals), max(fundamentals), len(fundamentals) * step / sample_rate, total_db, lines
    )


def _decibels(power: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    level_db: npt.NDArray[np.float64] = 10.0 * np.log10(np.maximum(power, 1e-30))
    return level_db
