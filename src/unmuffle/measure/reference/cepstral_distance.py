"""Cepstral distance: how far apart two spectral envelopes are, in dB.

N. Kitawaki, H. Nagabuchi and K. Itoh, "Objective quality evaluation for low-bit-rate speech coding systems", IEEE JSAC
6(2), 1988, as in Y. Hu and P. C. Loizou, "Evaluation of objective quality measures for speech enhancement", IEEE TASLP
16(1), 2008.

The cepstra of two linear predictors, without the zeroth coefficient, so that a level changes nothing: 10 / ln 10 times
the root of twice the squared difference, held within 0 and 10 dB. Frames of 30 ms, a quarter apart, under a Hann
window; the 5 % highest are left out. Order and number of coefficients are 16 at 16 kHz and 10 at 8 kHz.
"""

from __future__ import annotations

from math import log

import numpy as np
import numpy.typing as npt

from unmuffle.measure.reference.linear_prediction import linear_prediction, prediction_order
from unmuffle.measure.reference.paired_frames import Floats, loizou_framing, mean_of_lowest, over_frames
from unmuffle.measure.reference.pairs import checked_pair, mean_over_channels, resampled, speech_rate
from unmuffle.signal.arrays import FloatArray

_LEAST_S = 0.030
_HIGHEST_DB = 10.0


def cepstral_distance_db(reference: npt.ArrayLike, estimate: npt.ArrayLike, sample_rate: int) -> float:
    """Return the cepstral distance in dB, the mean over channels.

    Parameters
    ----------
    reference, estimate : array_like
        Speech, ``[samples]`` or ``[channels, samples]``, of equal shape; at least 30 ms.
    sample_rate : int
        In Hz, 8,000 to 192,000; resampled to 16 kHz, below that to 8 kHz.

    Returns
    -------
    float
        0 (equal spectral envelopes, at whatever level) to 10.

    Raises
    ------
    InvalidAudioError
        If the two cannot be compared: other shapes, too few samples, NaN or infinity, a silent reference.
    """
    rate = speech_rate(sample_rate)
    order, framing = prediction_order(rate), loizou_framing(rate)

    def distances(one: Floats, two: Floats) -> Floats:
        difference = _cepstra(one, order) - _cepstra(two, order)
        root = np.sqrt(2.0 * np.einsum("fn,fn->f", difference, difference))
        return np.minimum(10.0 / log(10.0) * root, _HIGHEST_DB)

    def measure(clean: FloatArray, other: FloatArray) -> float:
        return mean_of_lowest(over_frames(distances, clean, other, framing))

    pair = checked_pair(reference, estimate, sample_rate, "cepstral distance", _LEAST_S)
    return mean_over_channels(measure, resampled(pair, sample_rate, rate))


def _cepstra(frames: Floats, order: int) -> Floats:
    """Return the cepstrum of each frame's predictor from its first coefficient on, [frames, order]."""
    _, coefficients = linear_prediction(frames, order)
    cepstra = -coefficients[:, 1:]
    for index in range(2, order + 1):
        shares = np.arange(1, index) / index
        past = cepstra[:, : index - 1] * shares
        cepstra[:, index - 1] -= np.einsum("fn,fn->f", past, coefficients[:, index - 1 : 0 : -1])
    return cepstra
