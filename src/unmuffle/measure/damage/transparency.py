"""Transparency: what an enhancer does to speech that is clean already.

SI-SDR (Le Roux et al. 2019) and wideband PESQ (ITU-T P.862.2) of its output against its input, after a delay is taken
out, and the measures of damage to speech. An enhancer that keeps its hands off gets 20 dB and more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.damage.checks import checked
from unmuffle.measure.damage.high_band_loss import high_band_loss_of
from unmuffle.measure.damage.pair_spectra import PairSpectra
from unmuffle.measure.damage.spectral_distortion import spectral_distortion_of
from unmuffle.measure.damage.speech_level import speech_level_change_of
from unmuffle.measure.reference.alignment import Alignment, align
from unmuffle.measure.reference.perceptual_quality import pesq_wideband
from unmuffle.measure.reference.si_sdr import si_sdr_db
from unmuffle.measure.scores import Measure, Score, Table, measures_of, take
from unmuffle.signal.arrays import FloatArray, as_channels

EnhancerFunction: TypeAlias = Callable[[FloatArray, int], FloatArray]


class _Treated:
    """Clean speech and what became of it, in step."""

    def __init__(self, pair: Alignment, sample_rate: int) -> None:
        self.pair = pair
        self.sample_rate = sample_rate

    @cached_property
    def spectra(self) -> PairSpectra:
        return PairSpectra(self.pair.reference, self.pair.estimate, self.sample_rate, self.pair.reference)

    def si_sdr_db(self) -> float:
        return si_sdr_db(self.pair.reference, self.pair.estimate, self.sample_rate)

    def pesq(self) -> float:
        return pesq_wideband(self.pair.reference, self.pair.estimate, self.sample_rate)


_TABLE: Table = (
    (_Treated.si_sdr_db, (Measure("transparency_si_sdr_db", "SI-SDR on clean speech", "dB"),)),
    (_Treated.pesq, (Measure("transparency_pesq", "PESQ on clean speech", decimals=3, package="pesq"),)),
    (
        lambda treated: speech_level_change_of(treated.spectra),
        (Measure("transparency_level_change_db", "level change of clean speech", "dB", more_is_better=None),),
    ),
    (
        lambda treated: spectral_distortion_of(treated.spectra),
        (
            Measure(
                "transparency_spectral_distortion_db", "spectral distortion of clean speech", "dB", more_is_better=False
            ),
        ),
    ),
    (
        lambda treated: high_band_loss_of(treated.spectra).worst_db,
        (Measure("transparency_high_band_loss_db", "high-band loss of clean speech", "dB", more_is_better=False),),
    ),
)
TRANSPARENCY_MEASURES: tuple[Measure, ...] = measures_of(_TABLE)


@dataclass(frozen=True)
class Transparency:
    """What became of clean speech; a figure that could not be taken is None, see ``score_transparency`` for why.

    Attributes
    ----------
    si_sdr_db : float or None
        100 for nothing, or nothing but a gain.
    pesq : float or None
        Wideband, 4.64 for nothing.
    level_change_db : float or None
        Of the speech, 0 for nothing.
    spectral_distortion_db, high_band_loss_db : float or None
        As on noisy speech; 0 for nothing.
    delay_s : float
        By how much the enhancer's output was late. More than 1 ms is taken out before comparing.
    """

    si_sdr_db: float | None
    pesq: float | None
    level_change_db: float | None
    spectral_distortion_db: float | None
    high_band_loss_db: float | None
    delay_s: float


def transparency(enhancer: EnhancerFunction, clean: npt.ArrayLike, sample_rate: int) -> Transparency:
    """Let an enhancer work on clean speech, and return what became of it.

    Parameters
    ----------
    enhancer : callable
        Takes float32 ``[channels, samples]`` and the rate and returns an array of that shape; a mono recording given
        as ``[samples]`` is handed over as ``[samples]``.
    clean : array_like
        Speech without noise, ``[samples]`` or ``[channels, samples]``; at least 0.25 s.
    sample_rate : int
        In Hz, 8,000 to 192,000.

    Raises
    ------
    InvalidAudioError
        If the clean speech is too short, silent, or holds NaN or infinity, or if what the enhancer gives is silent or
        of another shape.
    InvalidParameterError
        If the rate is out of range.

    Examples
    --------
    >>> speech = np.sin(np.arange(16_000) * 0.3) * (np.arange(16_000) // 4000 % 2)
    >>> found = transparency(lambda audio, rate: 0.5 * audio, speech, 16_000)
    >>> found.si_sdr_db, round(found.level_change_db, 1)
    (100.0, -6.0)
    """
    treated = _treat(enhancer, clean, sample_rate)
    si_sdr, pesq, level, distortion, high_band = (score.value for score in take(_TABLE, (treated,)))
    return Transparency(si_sdr, pesq, level, distortion, high_band, treated.pair.delay.seconds)


def score_transparency(
    enhancer: EnhancerFunction, clean: npt.ArrayLike, sample_rate: int, keys: Collection[str] | None = None
) -> list[Score]:
    """Return ``transparency`` as scores, one for each of ``TRANSPARENCY_MEASURES`` or those of the keys."""
    return take(_TABLE, (_treat(enhancer, clean, sample_rate),), keys)


def _treat(enhancer: EnhancerFunction, clean: npt.ArrayLike, sample_rate: int) -> _Treated:
    speech = checked(clean, clean, sample_rate)[0]
    given = speech if np.ndim(clean) == 2 else speech[0]
    result = as_channels(enhancer(given.copy(), sample_rate))
    if result.shape != speech.shape:
        raise InvalidAudioError(
            f"the enhancer was given audio of shape {given.shape} and gave back {result.shape}: it must keep the shape"
        )
    return _Treated(align(speech, result, sample_rate), sample_rate)
