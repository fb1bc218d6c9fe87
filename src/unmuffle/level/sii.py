"""Speech intelligibility index: ANSI S3.5-1997, one-third octave and octave band procedures.

Clause 4 (self-speech masking, upward spread of masking in third octaves, equivalent internal noise, level distortion,
band audibility) with the constants of tables 3 and 4. Left out: the critical-band procedures, the correction for
conductive losses, and how to get from measured levels to equivalent spectrum levels (clause 5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidParameterError
from unmuffle.signal.arrays import FloatArray

_BELOW_HEARING_DB = -50.0


@dataclass(frozen=True, eq=False)
class SiiBands:
    """The constants of one procedure: a table of the standard, all float64 [bands].

    Attributes
    ----------
    centres_hz : ndarray
        Nominal mid-band frequencies.
    importance : ndarray
        What each band adds to the index at most; they sum up to 1.
    internal_noise_db, normal_speech_db : ndarray
        Spectrum levels in dB SPL of the ear's own noise, and of speech of normal effort 1 m before the lips.
    octaves : float
        Width of a band.
    """

    centres_hz: FloatArray
    importance: FloatArray
    internal_noise_db: FloatArray
    normal_speech_db: FloatArray
    octaves: float

    @property
    def edges_hz(self) -> FloatArray:
        """Lower and upper edges, float64 [2, bands]."""
        half = 2.0 ** (0.5 * self.octaves)
        return np.stack([self.centres_hz / half, self.centres_hz * half])


def _table(octaves: float, rows: list[list[float]]) -> SiiBands:
    centres, importance, internal_noise, normal_speech = np.array(rows).T
    return SiiBands(centres, importance, internal_noise, normal_speech, octaves)


THIRD_OCTAVES = _table(
    1.0 / 3.0,
    [
        [160, 0.0083, 0.6, 32.41],
        [200, 0.0095, -1.7, 34.48],
        [250, 0.0150, -3.9, 34.75],
        [315, 0.0289, -6.1, 33.98],
        [400, 0.0440, -8.2, 34.59],
        [500, 0.0578, -9.7, 34.27],
        [630, 0.0653, -10.8, 32.06],
        [800, 0.0711, -11.9, 28.30],
        [1000, 0.0818, -12.5, 25.01],
        [1250, 0.0844, -13.5, 23.00],
        [1600, 0.0882, -15.4, 20.15],
        [2000, 0.0898, -17.7, 17.32],
        [2500, 0.0868, -21.2, 13.18],
        [3150, 0.0844, -24.2, 11.55],
        [4000, 0.0771, -25.9, 9.33],
        [5000, 0.0527, -23.6, 5.31],
        [6300, 0.0364, -15.8, 2.59],
        [8000, 0.0185, -7.1, 1.13],
    ],
)
OCTAVES = _table(
    1.0,
    [
        [250, 0.0617, -3.9, 34.75],
        [500, 0.1671, -9.7, 34.27],
        [1000, 0.2373, -12.5, 25.01],
        [2000, 0.2648, -17.7, 17.32],
        [4000, 0.2142, -25.9, 9.33],
        [8000, 0.0549, -7.1, 1.13],
    ],
)


def speech_intelligibility_index(
    speech_db: npt.ArrayLike,
    noise_db: npt.ArrayLike | None = None,
    threshold_db: npt.ArrayLike | None = None,
    *,
    importance: npt.ArrayLike | None = None,
) -> float:
    """Return how much of speech a listener can make use of, 0 (nothing) to 1 (all).

    Parameters
    ----------
    speech_db : array_like
        Equivalent spectrum levels of the speech in dB SPL (the level within 1 Hz), 18 of them for third octaves from
        160 Hz to 8 kHz or 6 for octaves from 250 Hz to 8 kHz.
    noise_db : array_like, optional
        The same of the noise; below hearing if left out.
    threshold_db : array_like, optional
        The listener's thresholds in dB HL; 0 if left out.
    importance : array_like, optional
        Importance of each band instead of the standard's for average speech.

    Raises
    ------
    InvalidParameterError
        If the levels are neither 18 nor 6, not as many in each, or not finite.

    Examples
    --------
    Normal speech in quiet, and in noise of its own spectrum and level; there about half of the 30 dB that speech spans
    is audible, less what its low bands mask:

    >>> speech = THIRD_OCTAVES.normal_speech_db
    >>> round(speech_intelligibility_index(speech), 3), round(speech_intelligibility_index(speech, speech), 2)
    (0.996, 0.47)
    """
    speech = _levels("speech_db", speech_db, None)
    bands = THIRD_OCTAVES if speech.size == THIRD_OCTAVES.centres_hz.size else OCTAVES
    noise = _levels("noise_db", _BELOW_HEARING_DB * np.ones(speech.size) if noise_db is None else noise_db, speech.size)
    threshold = _levels("threshold_db", np.zeros(speech.size) if threshold_db is None else threshold_db, speech.size)
    weights = bands.importance if importance is None else _levels("importance", importance, speech.size)

    masking_db = _masking_db(speech, noise, bands.centres_hz) if bands is THIRD_OCTAVES else noise
    disturbance_db = np.maximum(masking_db, bands.internal_noise_db + threshold)
    distortion = np.minimum(1.0 - (speech - bands.normal_speech_db - 10.0) / 160.0, 1.0)
    audibility = np.clip((speech - disturbance_db + 15.0) / 30.0, 0.0, 1.0)
    return float(np.sum(weights * np.maximum(distortion, 0.0) * audibility))


def _masking_db(speech_db: FloatArray, noise_db: FloatArray, centres_hz: FloatArray) -> FloatArray:
    """Return the equivalent masking spectrum level: noise, and what spreads upward from lower bands (4.3.2)."""
    masker_db = np.maximum(noise_db, speech_db - 24.0)
    slope = -80.0 + 0.6 * (masker_db + 10.0 * np.log10(centres_hz) - 6.353)
    decades = np.log10(0.89 * centres_hz[:, None] / centres_hz)
    spread = np.tril(10.0 ** (0.1 * (masker_db + 3.32 * slope * decades)), -1).sum(axis=1)
    masking_db: FloatArray = 10.0 * np.log10(10.0 ** (0.1 * noise_db) + spread)
    masking_db[0] = masker_db[0]
    return masking_db


def _levels(name: str, levels: npt.ArrayLike, size: int | None) -> FloatArray:
    array = np.asarray(levels, np.float64)
    wanted = {THIRD_OCTAVES.centres_hz.size, OCTAVES.centres_hz.size} if size is None else {size}
    if array.ndim != 1 or array.size not in wanted or not np.isfinite(array).all():
        counts = " or ".join(str(count) for count in sorted(wanted, reverse=True))
        raise InvalidParameterError(f"{name} must be {counts} finite numbers, one a band, not {array.tolist()}")
    return array


def normal_speech_psd(frequencies_hz: FloatArray) -> FloatArray:
    """Return the power density of normal speech at some frequencies, of no particular unit, float64.

    Between the bands of table 3 it is interpolated in dB over log frequency, above 8 kHz held, below 100 Hz zero.
    """
    known = np.log(THIRD_OCTAVES.centres_hz)
    wanted = np.log(np.maximum(frequencies_hz, 1.0))
    density: FloatArray = 10.0 ** (np.interp(wanted, known, THIRD_OCTAVES.normal_speech_db) / 10.0)
    return density * (frequencies_hz >= 100.0)
