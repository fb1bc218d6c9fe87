"""Autoregressive models of short segments, and the samples they say were lost.

Interpolation is least-squares AR interpolation: the unknown samples are those that make the prediction error of the
model least (A. J. E. M. Janssen, R. N. J. Veldhuis and L. B. Vries, "Adaptive interpolation of discrete-time signals
that can be modeled as autoregressive processes", IEEE Trans. ASSP 34(2), 1986; S. J. Godsill and P. J. W. Rayner,
"Digital Audio Restoration", Springer 1998, section 5.2.2). The model is estimated by the autocorrelation method with a
Hann window, first from both sides of the gap and then, as Janssen does, from the filled segment again.
"""

from __future__ import annotations

import numpy as np

from unmuffle.signal.arrays import BoolArray, FloatArray

_WHITE_NOISE = 1e-6
"""Added to the power, so that the equations of a pure tone can be solved."""

_TURNS = 3


def autocorrelations(frames: FloatArray, order: int) -> FloatArray:
    """Return the autocorrelations at lags 0 to ``order`` of Hann-windowed frames [..., n], float64 [..., order + 1]."""
    from scipy import fft

    size = frames.shape[-1]
    window = np.hanning(size + 2)[1:-1]
    padded = fft.next_fast_len(size + order + 1, real=True)
    spectra = fft.rfft(frames * window, padded, axis=-1)
    lags = fft.irfft(spectra.real**2 + spectra.imag**2, padded, axis=-1)[..., : order + 1]
    lags[..., 0] *= 1.0 + _WHITE_NOISE
    return lags


def prediction_errors(lags: FloatArray) -> FloatArray:
    """Return the filters [frames, order + 1] that leave the prediction error, by Levinson's recursion.

    The first coefficient is 1. A frame of silence has no model: its filter passes the frame as it is.
    """
    filters = np.zeros_like(lags)
    filters[:, 0] = 1.0
    power = np.where(lags[:, 0] > 0.0, lags[:, 0], 1.0)
    for order in range(1, lags.shape[1]):
        missed = np.vecdot(filters[:, :order], lags[:, order:0:-1])
        missed /= power
        filters[:, 1 : order + 1] -= missed[:, None] * filters[:, order - 1 :: -1]
        power *= np.maximum(1.0 - missed * missed, 1e-12)
    return filters


def interpolate(samples: FloatArray, lost: BoolArray, order: int) -> FloatArray:
    """Return a segment with its lost samples filled in.

    Parameters
    ----------
    samples : float64 [n]
        What the lost samples hold does not matter.
    lost : bool [n]
        True somewhere, but not within ``order`` samples of either end.
    order : int
        Of the model.

    Returns
    -------
    float64 [n]
    """
    known = np.flatnonzero(~lost)
    filled = samples.copy()
    filled[lost] = np.interp(np.flatnonzero(lost), known, samples[known])
    scale = np.abs(filled).max()
    if scale == 0.0:
        return filled
    filled /= scale
    lags = _lags_beside(filled, lost, order)
    for turn in range(_TURNS):
        if turn:
            lags = autocorrelations(filled, order)
        filled[lost] = solve_lost(filled, lost, prediction_errors(lags[None])[0])
    filled *= scale
    filled[~lost] = samples[~lost]
    return filled


def solve_lost(samples: FloatArray, lost: BoolArray, error_filter: FloatArray) -> FloatArray:
    """Return the lost samples that make the energy of the prediction error least, float64 [lost samples].

    ``error_filter`` [order + 1] begins with 1; the other arguments are those of ``interpolate``.
    """
    from scipy.linalg import solveh_banded

    order = error_filter.size - 1
    lags = np.correlate(error_filter, error_filter, "full")[order:]
    places = np.flatnonzero(lost)
    known = np.where(lost, 0.0, samples)[places[0] - order : places[-1] + order + 1]
    pulled = np.convolve(known, np.concatenate([lags[:0:-1], lags]), "same")[places - places[0] + order]
    bands = np.zeros((min(order, places.size - 1) + 1, places.size))
    for band, row in enumerate(bands):
        distance = places[band:] - places[: places.size - band]
        row[: distance.size] = np.where(distance <= order, lags[np.minimum(distance, order)], 0.0)
    return solveh_banded(bands, -pulled, lower=True, overwrite_ab=True, check_finite=False)


def _lags_beside(filled: FloatArray, lost: BoolArray, order: int) -> FloatArray:
    """Return the autocorrelations of what lies before and after the longest gap, added up."""
    edges = np.flatnonzero(np.diff(lost.astype(np.int8)))
    starts, stops = edges[::2] + 1, edges[1::2] + 1
    longest = int(np.argmax(stops - starts))
    sides = (filled[: starts[longest]], filled[stops[longest] :])
    return sum((autocorrelations(side, order) for side in sides), np.zeros(order + 1))
