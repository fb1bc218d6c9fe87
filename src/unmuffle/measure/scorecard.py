"""All measures of an estimate against its reference, side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy.typing as npt

from unmuffle.errors import UnmuffleError
from unmuffle.measure.cepstral_distance import cepstral_distance_db
from unmuffle.measure.composite_ratings import composite
from unmuffle.measure.frequency_weighted_snr import frequency_weighted_segmental_snr_db
from unmuffle.measure.intelligibility import estoi, stoi
from unmuffle.measure.perceptual_quality import pesq_narrowband, pesq_wideband
from unmuffle.measure.plain_snr import snr_db
from unmuffle.measure.segmental_snr import segmental_snr_db
from unmuffle.measure.si_sdr import si_sdr_db
from unmuffle.measure.spectral_distance import log_spectral_distance_db

MeasureFunction: TypeAlias = Callable[[npt.ArrayLike, npt.ArrayLike, int], float]


@dataclass(frozen=True)
class Measure:
    """A measure of a pair as a table shows it.

    Attributes
    ----------
    name, unit : str
        The unit is empty for a plain number.
    more_is_better : bool
    function : callable
        ``(reference, estimate, sample_rate) -> float``
    """

    name: str
    unit: str
    more_is_better: bool
    function: MeasureFunction


@dataclass(frozen=True)
class Score:
    """What a measure gave: a value, or the reason why there is none."""

    measure: Measure
    value: float | None
    why_not: str | None = None


MEASURES: tuple[Measure, ...] = (
    Measure("SNR", "dB", True, snr_db),
    Measure("segmental SNR", "dB", True, segmental_snr_db),
    Measure("frequency-weighted segmental SNR", "dB", True, frequency_weighted_segmental_snr_db),
    Measure("SI-SDR", "dB", True, si_sdr_db),
    Measure("PESQ wideband", "", True, pesq_wideband),
    Measure("PESQ narrowband", "", True, pesq_narrowband),
    Measure("STOI", "", True, stoi),
    Measure("ESTOI", "", True, estoi),
    Measure("CSIG", "", True, lambda *pair: composite(*pair).csig),
    Measure("CBAK", "", True, lambda *pair: composite(*pair).cbak),
    Measure("COVL", "", True, lambda *pair: composite(*pair).covl),
    Measure("log-spectral distance", "dB", False, log_spectral_distance_db),
    Measure("cepstral distance", "dB", False, cepstral_distance_db),
)


def score(reference: npt.ArrayLike, estimate: npt.ArrayLike, sample_rate: int) -> list[Score]:
    """Measure an estimate against its reference in every way there is.

    Parameters
    ----------
    reference, estimate : array_like
        ``[samples]`` or ``[channels, samples]``, of one shape and in step; see ``align``.
    sample_rate : int
        In Hz, 8,000 to 192,000.

    Returns
    -------
    list of Score
        One for each of ``MEASURES``. A measure that cannot work on this pair, or whose package is not installed, has
        no value and tells why.
    """
    return [_one(measure, reference, estimate, sample_rate) for measure in MEASURES]


def _one(measure: Measure, reference: npt.ArrayLike, estimate: npt.ArrayLike, sample_rate: int) -> Score:
    try:
        return Score(measure, measure.function(reference, estimate, sample_rate))
    except UnmuffleError as error:
        return Score(measure, None, str(error))
