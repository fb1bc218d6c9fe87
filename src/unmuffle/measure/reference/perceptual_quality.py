"""PESQ: ITU-T P.862 (2001) with the mappings to MOS-LQO of P.862.1 (2003, narrowband) and P.862.2 (2007, wideband).

Computed by the package ``pesq``, the recommendation's own C code without Corrigendum 2 of 2018: compare wideband
scores only with others of uncorrected code. PESQ was made for 8 to 30 s of speech and finds delays within by itself.
Narrowband is taken at 8 kHz and wideband at 16 kHz; other rates are resampled, so that of a lower one the upper band
is empty in both and counts as equal.

That code has room for 50 utterances and brings the process down at more: audio over 20 s, which could hold as many, is
cut into equal pieces of at most 20 s, and the score is the mean over those in which there is an utterance.
"""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.extras import METRICS, load_package
from unmuffle.measure.reference.pairs import NARROWBAND_HZ, WIDEBAND_HZ, checked_pair, mean_over_channels, resampled
from unmuffle.signal.arrays import FloatArray

_LEAST_S = 0.25
_LONGEST_S = 20.0


def pesq_wideband(reference: npt.ArrayLike, estimate: npt.ArrayLike, sample_rate: int) -> float:
    """Return wideband PESQ (P.862.2) as MOS-LQO, the mean over channels.

    Parameters
    ----------
    reference, estimate : array_like
        Speech, ``[samples]`` or ``[channels, samples]``, of equal shape; at least 0.25 s.
    sample_rate : int
        In Hz, 8,000 to 192,000; resampled to 16 kHz.

    Returns
    -------
    float
        1.04 (bad) to 4.64 (excellent).

    Raises
    ------
    InvalidAudioError
        If the two cannot be compared: other shapes, too few samples, NaN or infinity, a silent reference or estimate,
        an estimate that is silent for many seconds, or if PESQ finds no utterance.
    MissingExtraError
        If ``pesq`` is not installed.
    """
    return _pesq(reference, estimate, sample_rate, WIDEBAND_HZ, "wb")


def pesq_narrowband(reference: npt.ArrayLike, estimate: npt.ArrayLike, sample_rate: int) -> float:
    """Return narrowband PESQ (P.862.1) as MOS-LQO, the mean over channels.

    Parameters
    ----------
    reference, estimate : array_like
        Speech, ``[samples]`` or ``[channels, samples]``, of equal shape; at least 0.25 s.
    sample_rate : int
        In Hz, 8,000 to 192,000; resampled to 8 kHz.

    Returns
    -------
    float
        1.02 (bad) to 4.55 (excellent).

    Raises
    ------
    InvalidAudioError
        If the two cannot be compared: other shapes, too few samples, NaN or infinity, a silent reference or estimate,
        an estimate that is silent for many seconds, or if PESQ finds no utterance.
    MissingExtraError
        If ``pesq`` is not installed.
    """
    return _pesq(reference, estimate, sample_rate, NARROWBAND_HZ, "nb")


def _pesq(reference: npt.ArrayLike, estimate: npt.ArrayLike, sample_rate: int, rate: int, mode: str) -> float:
    pair = checked_pair(reference, estimate, sample_rate, "PESQ", _LEAST_S)
    package = load_package("pesq", METRICS)

    def measure(clean: FloatArray, other: FloatArray) -> float:
        pieces = ceil(clean.size / (_LONGEST_S * rate))
        cut = zip(np.array_split(clean, pieces), np.array_split(other, pieces), strict=True)
        scores = [score for one, two in cut if (score := _score(package, one, two, rate, mode)) is not None]
        if not scores:
            raise InvalidAudioError("PESQ cannot rate this audio: it finds no utterance in the reference")
        return float(np.mean(scores))

    return mean_over_channels(measure, resampled(pair, sample_rate, rate))


def _score(package: Any, clean: FloatArray, other: FloatArray, rate: int, mode: str) -> float | None:
    """Return the score of a piece, or None where there is no utterance in it."""
    try:
        return float(package.pesq(rate, clean, other, mode))
    except package.NoUtterancesError:
        return None
    except (package.PesqError, ValueError) as error:
        # A silent estimate ends in "cannot convert float NaN to integer".
        reason = str(error) if other.any() else "the estimate is silent for all of it or for many seconds"
        raise InvalidAudioError(f"PESQ cannot rate this audio: {reason}") from error
