"""Speech level change: by how much the speech itself, and not the noise under it, became louder or softer.

A definition of ours: the power of enhanced over that of original in the cells that hold mostly speech. The active
speech level of ITU-T P.56 tells the same of clean recordings, but counts noise as speech.
"""

from __future__ import annotations

import numpy.typing as npt

from unmuffle.measure.damage.channels import mean_over_channels, ratio_db
from unmuffle.measure.damage.pair_spectra import ChannelSpectra, PairSpectra, speaking
from unmuffle.measure.damage.spectral_distortion import no_speech


def speech_level_change_db(
    original: npt.ArrayLike, enhanced: npt.ArrayLike, sample_rate: int, *, reference: npt.ArrayLike | None = None
) -> float:
    """Return the change of the level of the speech in dB, the mean over channels.

    Parameters
    ----------
    original, enhanced, sample_rate, reference
        As for ``PairSpectra``.

    Returns
    -------
    float
        -60 to 60; for a gain the gain itself.

    Raises
    ------
    InvalidAudioError
        As ``PairSpectra``, or if no speech stands out of the noise.

    Examples
    --------
    >>> import numpy as np
    >>> tone = np.sin(np.arange(16_000) * 0.3) * (np.arange(16_000) // 4000 % 2)
    >>> round(speech_level_change_db(tone, 0.5 * tone, 16_000), 2)
    -6.02
    """
    return speech_level_change_of(PairSpectra(original, enhanced, sample_rate, reference))


def speech_level_change_of(spectra: PairSpectra) -> float:
    """Return ``speech_level_change_db`` of a pair that is analysed already."""
    return mean_over_channels(_change_db, spectra)


def _change_db(channel: ChannelSpectra) -> float:
    series = channel.series
    if not speaking(series).any():
        raise no_speech("a change of the speech level")
    return ratio_db(float(series.speech_enhanced.sum()), float(series.speech_original.sum()))
