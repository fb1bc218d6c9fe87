"""Log-likelihood ratio of linear prediction: how much a spectral envelope was changed.

S. R. Quackenbush, T. P. Barnwell and M. A. Clements, "Objective Measures of Speech Quality", Prentice Hall 1988, as
``llr`` in P. C. Loizou's composite.m.

It says how much worse the estimate's predictor foretells the reference than the reference's own does: log of the ratio
of the two errors, for frames of 30 ms, a quarter apart, under a Hann window. The 5 % highest are left out, and so is,
as in composite.m, the last frame. Left out: the limit of 2 on each frame, which comp_llr.m has and composite.m has not.
In place of composite.m's machine epsilon, white noise at -120 dBFS keeps silent frames in order.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.measure.reference.linear_prediction import linear_prediction, prediction_order
from unmuffle.measure.reference.paired_frames import Floats, loizou_framing, mean_of_lowest, over_frames
from unmuffle.measure.reference.pairs import checked_pair, mean_over_channels, resampled, speech_rate
from unmuffle.signal.arrays import FloatArray

_LEAST_S = 0.0375


def log_likelihood_ratio(reference: npt.ArrayLike, estimate: npt.ArrayLike, sample_rate: int) -> float:
    """Return the log-likelihood ratio (natural logarithm), the mean over channels.

    Parameters
    ----------
    reference, estimate : array_like
        Speech, ``[samples]`` or ``[channels, samples]``, of equal shape; at least 37.5 ms.
    sample_rate : int
        In Hz, 8,000 to 192,000; resampled to 16 kHz, below that to 8 kHz.

    Returns
    -------
    float
        From 0 (equal spectral envelopes) up; a level changes nothing.

    Raises
    ------
    InvalidAudioError
        If the two cannot be compared: other shapes, too few samples, NaN or infinity, a silent reference.
    """
    rate = speech_rate(sample_rate)
    order, framing = prediction_order(rate), loizou_framing(rate)

    def measure(clean: FloatArray, other: FloatArray) -> float:
        ratios = over_frames(lambda one, two: _ratios(one, two, order), clean, other, framing)
        return mean_of_lowest(ratios[:-1])

    pair = checked_pair(reference, estimate, sample_rate, "log-likelihood ratio", _LEAST_S)
    return mean_over_channels(measure, resampled(pair, sample_rate, rate))


def _ratios(reference: Floats, estimate: Floats, order: int) -> Floats:
    autocorrelation, own = linear_prediction(reference, order)
    _, others = linear_prediction(estimate, order)
    return np.log(np.maximum(_error(others, autocorrelation) / _error(own, autocorrelation), 1.0))


def _error(coefficients: Floats, autocorrelation: Floats) -> Floats:
    """Return a R a' for every frame, by the autocorrelation of the filter."""
    count = coefficients.shape[1]
    error = np.einsum("fn,fn->f", coefficients, coefficients) * autocorrelation[:, 0]
    for lag in range(1, count):
        product = np.einsum("fn,fn->f", coefficients[:, : count - lag], coefficients[:, lag:])
        error += 2.0 * product * autocorrelation[:, lag]
    return error
