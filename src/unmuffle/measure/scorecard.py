"""All measures of an estimate against its reference, side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Measure:
    """A measure of a pair as a table shows it.

    Attributes
    ----------
    name, unit : str
        The unit is empty for a plain number.
    more_is_better : bool
    """

    name: str
    unit: str = ""
    more_is_better: bool = True


@dataclass(frozen=True)
class Score:
    """What a measure gave: a value, or the reason why there is none."""

    measure: Measure
    value: float | None
    why_not: str | None = None


def _ratings(reference: npt.ArrayLike, estimate: npt.ArrayLike, sample_rate: int) -> tuple[float, ...]:
    rating = composite(reference, estimate, sample_rate)
    return rating.csig, rating.cbak, rating.covl


# What comes of one computation is taken from it together.
_TAKEN: tuple[tuple[Callable[[npt.ArrayLike, npt.ArrayLike, int], float | tuple[float, ...]], tuple[Measure, ...]], ...]
_TAKEN = (
    (snr_db, (Measure("SNR", "dB"),)),
    (segmental_snr_db, (Measure("segmental SNR", "dB"),)),
    (frequency_weighted_segmental_snr_db, (Measure("frequency-weighted segmental SNR", "dB"),)),
    (si_sdr_db, (Measure("SI-SDR", "dB"),)),
    (pesq_wideband, (Measure("PESQ wideband"),)),
    (pesq_narrowband, (Measure("PESQ narrowband"),)),
    (stoi, (Measure("STOI"),)),
    (estoi, (Measure("ESTOI"),)),
    (_ratings, (Measure("CSIG"), Measure("CBAK"), Measure("COVL"))),
    (log_spectral_distance_db, (Measure("log-spectral distance", "dB", more_is_better=False),)),
    (cepstral_distance_db, (Measure("cepstral distance", "dB", more_is_better=False),)),
)
MEASURES: tuple[Measure, ...] = tuple(measure for _, measures in _TAKEN for measure in measures)


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
    scores: list[Score] = []
    for function, measures in _TAKEN:
        try:
            found = function(reference, estimate, sample_rate)
        except UnmuffleError as error:
            scores += [Score(measure, None, str(error)) for measure in measures]
        else:
            values = found if isinstance(found, tuple) else (found,)
            scores += [Score(measure, value) for measure, value in zip(measures, values, strict=True)]
    return scores
