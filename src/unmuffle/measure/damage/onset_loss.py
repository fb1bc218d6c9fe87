"""Onset loss: by how much the beginnings of words are attenuated more than what follows.

A definition of ours. An onset is a frame of speech after 96 ms without, followed by speech. The gain from original to
enhanced in the speech cells (dB) is averaged over the onset's first three frames (64 ms) and over the frames of speech
from 64 to 240 ms after it; the loss is the latter less the former, the mean over all onsets. Noise estimators that need
time to believe in speech, gates that open late and voice-activity detection cut there.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.damage.channels import LEAST_RATIO, mean_over_channels
from unmuffle.measure.damage.pair_spectra import ChannelSpectra, FrameSeries, PairSpectra, speaking
from unmuffle.signal.arrays import FloatArray

_BEFORE_S = 0.096
_ONSET_FRAMES = 3
_SUSTAINED_S = (0.064, 0.240)
_LEAST_SUSTAINED = 3
_MOST_DB = 40.0


def onset_loss_db(
    original: npt.ArrayLike, enhanced: npt.ArrayLike, sample_rate: int, *, reference: npt.ArrayLike | None = None
) -> float:
    """Return the mean loss of speech onsets in dB, the mean over channels.

    Parameters
    ----------
    original, enhanced, sample_rate, reference
        As for ``PairSpectra``.

    Returns
    -------
    float
        0 for a gain, above 0 where onsets are cut, below 0 where they are raised.

    Raises
    ------
    InvalidAudioError
        As ``PairSpectra``, or if there is no onset.
    """
    return onset_loss_of(PairSpectra(original, enhanced, sample_rate, reference))


def onset_loss_of(spectra: PairSpectra) -> float:
    """Return ``onset_loss_db`` of a pair that is analysed already."""
    return mean_over_channels(_loss_db, spectra)


def find_onsets(series: FrameSeries, before: int) -> npt.NDArray[np.intp]:
    """Return the frames that hold speech while none of so many before them does."""
    heard = speaking(series)
    counted = np.concatenate(([0], np.cumsum(heard)))
    start = np.arange(heard.size)
    recent = counted[start] - counted[np.maximum(start - before, 0)]
    return np.flatnonzero(heard & (recent == 0) & (start >= before))


def _loss_db(channel: ChannelSpectra) -> float:
    series, grid = channel.series, channel.grid
    gain_db, spoken = _gain_db(series), speaking(series)
    from_frame, to_frame = (grid.frames(seconds) for seconds in _SUSTAINED_S)
    losses: list[float] = []
    for onset in find_onsets(series, grid.frames(_BEFORE_S)):
        first = gain_db[onset : onset + _ONSET_FRAMES]
        later = gain_db[onset + from_frame : onset + to_frame]
        heard = spoken[onset + from_frame : onset + to_frame]
        if np.count_nonzero(heard) >= _LEAST_SUSTAINED:
            losses.append(float(later[heard].mean() - np.nanmean(first)))
    if not losses:
        raise InvalidAudioError("onset loss needs words that begin after a pause, but none stands out of the noise")
    return float(np.mean(losses))


def _gain_db(series: FrameSeries) -> FloatArray:
    """Return the gain in the speech cells of each frame in dB, NaN where there is none."""
    before, after = series.speech_original, series.speech_enhanced
    ratio = np.divide(after, before, out=np.full_like(before, np.nan), where=before > 0.0)
    return np.clip(10.0 * np.log10(np.maximum(ratio, LEAST_RATIO)), -_MOST_DB, _MOST_DB)
