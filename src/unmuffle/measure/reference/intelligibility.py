"""STOI and ESTOI, by the package ``pystoi``.

STOI: C. H. Taal, R. C. Hendriks, R. Heusdens and J. Jensen, "An algorithm for intelligibility prediction of
time-frequency weighted noisy speech", IEEE TASLP 19(7), 2011. ESTOI: J. Jensen and C. H. Taal, "An algorithm for
predicting the intelligibility of speech masked by modulated noise maskers", IEEE/ACM TASLP 24(11), 2016. They are two
measures, not two versions of one. Both work at 10 kHz, to which ``pystoi`` resamples by its own filter: scores are
those of ``pystoi`` at every rate.
"""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.extras import METRICS, load_package
from unmuffle.measure.reference.pairs import checked_pair, mean_over_channels
from unmuffle.signal.arrays import FloatArray

_LEAST_S = 0.4


def stoi(reference: npt.ArrayLike, estimate: npt.ArrayLike, sample_rate: int) -> float:
    """Return the short-time objective intelligibility, the mean over channels.

    Parameters
    ----------
    reference, estimate : array_like
        Speech, ``[samples]`` or ``[channels, samples]``, of equal shape; at least 0.4 s without pauses.
    sample_rate : int
        In Hz, 8,000 to 192,000; resampled to 10 kHz.

    Returns
    -------
    float
        About 0 (nothing understood) to 1.

    Raises
    ------
    InvalidAudioError
        If the two cannot be compared: other shapes, too few samples in all or in the frames less than 40 dB below the
        loudest, NaN or infinity, a silent reference.
    MissingExtraError
        If ``pystoi`` is not installed.
    """
    return _stoi(reference, estimate, sample_rate, "STOI", extended=False)


def estoi(reference: npt.ArrayLike, estimate: npt.ArrayLike, sample_rate: int) -> float:
    """Return the extended short-time objective intelligibility, the mean over channels.

    Parameters
    ----------
    reference, estimate : array_like
        Speech, ``[samples]`` or ``[channels, samples]``, of equal shape; at least 0.4 s without pauses.
    sample_rate : int
        In Hz, 8,000 to 192,000; resampled to 10 kHz.

    Returns
    -------
    float
        About 0 (nothing understood) to 1.

    Raises
    ------
    InvalidAudioError
        If the two cannot be compared: other shapes, too few samples in all or in the frames less than 40 dB below the
        loudest, NaN or infinity, a silent reference.
    MissingExtraError
        If ``pystoi`` is not installed.
    """
    return _stoi(reference, estimate, sample_rate, "ESTOI", extended=True)


def _stoi(reference: npt.ArrayLike, estimate: npt.ArrayLike, sample_rate: int, name: str, *, extended: bool) -> float:
    pair = checked_pair(reference, estimate, sample_rate, name, _LEAST_S)
    package = load_package("pystoi", METRICS)

    def measure(clean: FloatArray, other: FloatArray) -> float:
        with warnings.catch_warnings():
            # Its only sign of too little speech; the score that comes with it, 1e-5, would pass for a bad one.
            warnings.filterwarnings("error", message="Not enough STFT frames", category=RuntimeWarning)
            try:
                return float(
                    package.stoi(clean.astype(np.float64), other.astype(np.float64), sample_rate, extended=extended)
                )
            except RuntimeWarning:
                raise InvalidAudioError(
                    f"{name} needs at least {_LEAST_S:g} s of audio without pauses; there is less in the reference"
                ) from None

    return mean_over_channels(measure, pair)
