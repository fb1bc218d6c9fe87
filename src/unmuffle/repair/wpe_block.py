"""Weighted prediction error on a block of frames that is known as a whole.

T. Nakatani, T. Yoshioka, K. Kinoshita, M. Miyoshi and B.-H. Juang, "Speech dereverberation based on variance-normalized
delayed linear prediction", IEEE Trans. ASLP 18(7), 2010: the filter that leaves least, weighed by the power of what is
to be left, and that power from what was left, in turns. The power is averaged over three frames and near frequencies
and not let fall more than 40 dB below the mean of the past; a small multiple of the identity holds the filter back.

Not from the paper: as in ``wpe_band``, predictions are taken off only as far as they hold for what their filter has not
seen. For that, each half of the block is predicted by the filter of the other.
"""

from __future__ import annotations

import numpy as np

from unmuffle.repair.wpe_band import LEAST_POWER, bounded, power_of, share_to_use, smoothed
from unmuffle.repair.wpe_products import applied, summed
from unmuffle.repair.wpe_recursion import QUIETEST_POWER
from unmuffle.signal.arrays import ComplexArray, FloatArray

BINS_AT_ONCE = 32
"""Bins whose past is laid out together: few enough for a core's cache."""


DOUBTED, TRUSTED = 0.05, 0.25
"""As in ``wpe_band``, but lower, as each filter that is checked has seen only half of the block."""


def clear_block(frames: ComplexArray, taps: int, delay: int, iterations: int, ridge: float) -> ComplexArray:
    """Return frames without what can be predicted of them, as far as the prediction can be trusted.

    Parameters
    ----------
    frames : complex64 [frames, inputs, bins]
        The first ``taps + delay - 1`` are the past of the others and are not returned.
    taps : int
        Frames a prediction is made from.
    delay : int
        How many frames before the predicted one the latest of them lies, at least 1.
    iterations : int
        How often power and filter are found, at least 1.
    ridge : float
        Frames of evidence against any reverberation, 0 or more.

    Returns
    -------
    complex64 [frames - taps - delay + 1, inputs, bins]
    """
    before = taps + delay - 1
    now = frames[before:]
    powers = power_of(frames).mean(axis=1)
    least = LEAST_POWER * _mean_of_past(powers, taps, delay)
    # Digital silence, as beyond the end of a recording, is no proof that a room was dry.
    sounding = powers[before:] > QUIETEST_POWER
    predicted = np.zeros_like(now)
    for iteration in range(iterations):
        left = power_of(now - predicted).mean(axis=1)
        power = np.maximum(smoothed(_smoothed_in_time(left)), least) * sounding
        predicted, share = predict_block(frames, power, taps, delay, ridge, check=iteration == iterations - 1)
    return now - bounded(share * predicted, now, axis=1)


def predict_block(
    frames: ComplexArray, power: FloatArray, taps: int, delay: int, ridge: float, *, check: bool = False
) -> tuple[ComplexArray, FloatArray]:
    """Return the best linear prediction of frames from earlier ones, and how much of it is to be used.

    Parameters
    ----------
    frames, taps, delay, ridge
        See ``clear_block``.
    power : float32 [frames - taps - delay + 1, bins]
        Expected power of what cannot be predicted. A frame with a power of 0 does not count.
    check : bool, default False
        Find out how far predictions hold beyond the frames that the filters were made from.

    Returns
    -------
    predicted : complex64 [frames - taps - delay + 1, inputs, bins]
    share : float32 [bins]
        0 to 1; 1 where it was not to be checked.
    """
    predicted = np.empty_like(frames[taps + delay - 1 :])
    borne_out = np.zeros((2, frames.shape[2]))
    weights = np.where(power > QUIETEST_POWER, 1.0 / np.maximum(power, np.float32(QUIETEST_POWER)), np.float32(0.0))
    middle = _middle(weights)
    for start in range(0, frames.shape[2], BINS_AT_ONCE):
        bins = slice(start, start + BINS_AT_ONCE)
        part = np.ascontiguousarray(frames[:, :, bins].transpose(2, 1, 0))
        past, now, weight = _past(part, taps, delay), part[:, :, taps + delay - 1 :], weights[:, None, bins].T
        halves = slice(0, middle), slice(middle, None)
        moments = [_moments(past[..., half], now[..., half], weight[..., half]) for half in halves]
        filters = _solved(moments[0][0] + moments[1][0], moments[0][1] + moments[1][1], ridge)
        predicted[:, :, bins] = applied(filters, past).transpose(2, 1, 0)
        if check:
            for half, other in zip(halves, reversed(moments), strict=True):
                foreseen = applied(_solved(*other, 0.5 * ridge), past[..., half])
                borne_out[0, bins] += (weight[..., half] * (now[..., half] * foreseen.conj()).real).sum(axis=(1, 2))
                borne_out[1, bins] += (weight[..., half] * power_of(foreseen)).sum(axis=(1, 2))
    return predicted, share_to_use(borne_out[0], borne_out[1], DOUBTED, TRUSTED) if check else np.ones(
        frames.shape[2], np.float32
    )


def _middle(weights: FloatArray) -> int:
    """Return the frame before which half of those lie that count, of weights [frames, bins]."""
    count = np.count_nonzero(weights, axis=1).cumsum()
    return int(np.searchsorted(count, 0.5 * count[-1]))


def _moments(past: ComplexArray, now: ComplexArray, weight: FloatArray) -> tuple[ComplexArray, ComplexArray]:
    """Weighted covariance of the past [bins, order, order], and of the past with what came [bins, order, inputs]."""
    weighted = past * weight
    return summed(weighted, past), summed(weighted, now)


def _solved(covariance: ComplexArray, products: ComplexArray, ridge: float) -> ComplexArray:
    """Return the filters, ready to be applied to the past: complex64 [bins, inputs, order]."""
    # In double precision, as the covariance of neighbouring frames is near to singular.
    covariance = covariance.astype(np.complex128)
    diagonal = np.arange(covariance.shape[1])
    trace = covariance[:, diagonal, diagonal].real.mean(axis=1)
    covariance[:, diagonal, diagonal] += (ridge + 1e-10 * trace + 1e-30)[:, None]
    return np.linalg.solve(covariance, products).astype(np.complex64).conj().swapaxes(1, 2)


def _past(frames: ComplexArray, taps: int, delay: int) -> ComplexArray:
    """What each frame is predicted from, latest first: [bins, inputs, frames] to [bins, taps * inputs, frames]."""
    bins, inputs, count = frames.shape
    windows = np.lib.stride_tricks.sliding_window_view(frames, count - taps - delay + 1, axis=2)[:, :, :taps]
    return windows[:, :, ::-1].swapaxes(1, 2).reshape(bins, taps * inputs, -1)


def _mean_of_past(powers: FloatArray, taps: int, delay: int) -> FloatArray:
    """Mean of the powers [frames, bins] that each frame after the first is predicted from."""
    windows = np.lib.stride_tricks.sliding_window_view(powers, taps, axis=0)
    return windows[: len(powers) - taps - delay + 1].mean(axis=-1)


def _smoothed_in_time(powers: FloatArray) -> FloatArray:
    """Mean of each frame [frames, bins] and its two neighbours, of those that there are."""
    padded = np.concatenate((powers[:1], powers, powers[-1:]))
    return (padded[:-2] + padded[1:-1] + padded[2:]) * np.float32(1.0 / 3.0)
