"""All measures of an estimate against its reference, side by side."""

from __future__ import annotations

from collections.abc import Collection

import numpy.typing as npt

from unmuffle.measure.reference.cepstral_distance import cepstral_distance_db
from unmuffle.measure.reference.composite_ratings import composite
from unmuffle.measure.reference.frequency_weighted_snr import frequency_weighted_segmental_snr_db
from unmuffle.measure.reference.intelligibility import estoi, stoi
from unmuffle.measure.reference.perceptual_quality import pesq_narrowband, pesq_wideband
from unmuffle.measure.reference.plain_snr import snr_db
from unmuffle.measure.reference.segmental_snr import segmental_snr_db
from unmuffle.measure.reference.si_sdr import si_sdr_db
from unmuffle.measure.reference.spectral_distance import log_spectral_distance_db
from unmuffle.measure.scores import Measure, Score, Table, measures_of, take


def _ratings(reference: npt.ArrayLike, estimate: npt.ArrayLike, sample_rate: int) -> tuple[float, ...]:
    rating = composite(reference, estimate, sample_rate)
    return rating.csig, rating.cbak, rating.covl


_TABLE: Table = (
    (snr_db, (Measure("snr_db", "SNR", "dB"),)),
    (segmental_snr_db, (Measure("segmental_snr_db", "segmental SNR", "dB"),)),
    (
        frequency_weighted_segmental_snr_db,
        (Measure("frequency_weighted_segmental_snr_db", "frequency-weighted segmental SNR", "dB"),),
    ),
    (si_sdr_db, (Measure("si_sdr_db", "SI-SDR", "dB"),)),
    (pesq_wideband, (Measure("pesq_wideband", "PESQ wideband", decimals=3, package="pesq"),)),
    (pesq_narrowband, (Measure("pesq_narrowband", "PESQ narrowband", decimals=3, package="pesq"),)),
    (stoi, (Measure("stoi", "STOI", decimals=3, package="pystoi"),)),
    (estoi, (Measure("estoi", "ESTOI", decimals=3, package="pystoi"),)),
    (_ratings, (Measure("csig", "CSIG"), Measure("cbak", "CBAK"), Measure("covl", "COVL"))),
    (
        log_spectral_distance_db,
        (Measure("log_spectral_distance_db", "log-spectral distance", "dB", more_is_better=False),),
    ),
    (cepstral_distance_db, (Measure("cepstral_distance_db", "cepstral distance", "dB", more_is_better=False),)),
)
REFERENCE_MEASURES: tuple[Measure, ...] = measures_of(_TABLE)


def score(
    reference: npt.ArrayLike, estimate: npt.ArrayLike, sample_rate: int, keys: Collection[str] | None = None
) -> list[Score]:
    """Measure an estimate against its reference.

    Parameters
    ----------
    reference, estimate : array_like
        ``[samples]`` or ``[channels, samples]``, of one shape and in step; see ``align``.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    keys : collection of str, optional
        Only these of ``REFERENCE_MEASURES``; all unless given.

    Returns
    -------
    list of Score
        One for each measure. A measure that cannot work on this pair, or whose package is not installed, has no
        value and tells why.
    """
    return take(_TABLE, (reference, estimate, sample_rate), keys)
