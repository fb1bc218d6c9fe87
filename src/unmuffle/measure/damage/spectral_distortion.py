"""Spectral distortion of the speech itself: log-spectral distance between original and enhanced where speech is.

The root mean square difference in dB (A. H. Gray and J. D. Markel, "Distance measures for speech processing", IEEE
TASSP 24(5), 1976), taken over the cells in which speech is at least 10 dB above the noise only, so that taking the
noise away does not count, and about the median difference, so that a gain does not count.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.damage.cells import Cells
from unmuffle.measure.damage.channels import mean_over_channels
from unmuffle.measure.damage.pair_spectra import ChannelSpectra, PairSpectra

LEAST_CELLS = 50

_MOST_DB = 60.0
_STEP_DB = 0.02
_MOST_DISTORTION_DB = 30.0


def spectral_distortion_db(
    original: npt.ArrayLike, enhanced: npt.ArrayLike, sample_rate: int, *, reference: npt.ArrayLike | None = None
) -> float:
    """Return the log-spectral distortion of the speech in dB, the mean over channels.

    Parameters
    ----------
    original, enhanced, sample_rate, reference
        As for ``PairSpectra``.

    Returns
    -------
    float
        0 for a gain, whatever its size, to 30.

    Raises
    ------
    InvalidAudioError
        As ``PairSpectra``, or if no speech stands out of the noise.

    Examples
    --------
    >>> tone = np.sin(np.arange(16_000) * 0.3) * (np.arange(16_000) // 4000 % 2)
    >>> round(spectral_distortion_db(tone, 0.5 * tone, 16_000), 1)
    0.0
    """
    return spectral_distortion_of(PairSpectra(original, enhanced, sample_rate, reference))


def spectral_distortion_of(spectra: PairSpectra) -> float:
    """Return ``spectral_distortion_db`` of a pair that is analysed already."""
    return mean_over_channels(_distortion_db, spectra)


def _distortion_db(channel: ChannelSpectra) -> float:
    count = round(2.0 * _MOST_DB / _STEP_DB) + 1
    counts = np.zeros(count, np.int64)
    for cells in channel:
        counts += np.bincount(_steps(cells), minlength=count)
    total = counts.sum()
    if total < LEAST_CELLS:
        raise no_speech("spectral distortion")
    levels_db = np.linspace(-_MOST_DB, _MOST_DB, count)
    median_db = levels_db[np.searchsorted(np.cumsum(counts), 0.5 * total)]
    away_db = np.minimum(np.abs(levels_db - median_db), _MOST_DISTORTION_DB)
    return float(np.sqrt(counts @ away_db**2 / total))


def _steps(cells: Cells) -> npt.NDArray[np.intp]:
    """Return the change of every speech cell as a place in the histogram."""
    before, after = cells.original[cells.speech], cells.enhanced[cells.speech]
    change_db = 10.0 * np.log10(np.maximum(after, 10.0 ** (-0.1 * _MOST_DB) * before) / before)
    return np.rint((np.clip(change_db, -_MOST_DB, _MOST_DB) + _MOST_DB) / _STEP_DB).astype(np.intp)


def no_speech(measure: str) -> InvalidAudioError:
    """Return the error for audio in which no speech is found."""
    return InvalidAudioError(f"{measure} is that of speech, but none stands out of the noise: give the clean reference")
