"""From one stream to the next, of another rate or number of channels, without a click."""

from __future__ import annotations

import numpy as np

from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.resample import resample

FADE_S = 0.005
HEAD = 128
"""Samples within which what has passed fades out when an enhanced stream takes over."""
MOST_KEPT = 512
"""Samples played last: resampled together with what follows, so that the resampler does not begin at a step."""


def last_of(played: FloatArray, block: FloatArray) -> FloatArray:
    """Return the end of what was played [channels, n <= 512] once a block [channels, m] has followed."""
    if block.shape[1] >= MOST_KEPT:
        return block[:, -MOST_KEPT:]
    return np.concatenate((played, block), axis=1)[:, -MOST_KEPT:]


def refit(played: FloatArray, end: FloatArray, old_rate: int, new_rate: int, channels: int) -> FloatArray:
    """Return the end of a stream [channels, n] at another rate and with other channels.

    Parameters
    ----------
    played : float32 [old channels, k]
        What came before it; left out where it has other channels.
    end : float32 [old channels, n]
    old_rate, new_rate : int
        In Hz.
    channels : int
        To have; where their number changes, each has the mean of all.
    """
    fitted = end
    if old_rate != new_rate and end.shape[1]:
        known = played if len(played) == len(end) else end[:, :0]
        whole = resample(np.concatenate((known, end), axis=1), old_rate, new_rate)
        fitted = whole[:, round(known.shape[1] * new_rate / old_rate) :]
    if len(fitted) == channels:
        return fitted
    return np.repeat(fitted.mean(axis=0, keepdims=True), channels, axis=0)


def fade_out(block: FloatArray, sample_rate: int) -> FloatArray:
    """Return a block [channels, n] that fades out within its last 5 ms."""
    count = min(round(FADE_S * sample_rate), block.shape[1])
    faded = block.copy()
    faded[:, block.shape[1] - count :] *= np.linspace(1.0, 0.0, count, endpoint=False, dtype=np.float32)
    return faded


def head_of(block: FloatArray) -> FloatArray:
    """Return the first samples of a block [channels, n], fading out."""
    head = block[:, :HEAD]
    return head * np.linspace(1.0, 0.0, head.shape[1], endpoint=False, dtype=np.float32)


def fade_in(block: FloatArray, sample_rate: int, begun: float) -> tuple[FloatArray, float]:
    """Return a block [channels, n] of a stream that fades in within 5 ms, and how far, 0 to 1, it then is."""
    shares = begun + np.arange(block.shape[1]) / (FADE_S * sample_rate)
    ended = begun + block.shape[1] / (FADE_S * sample_rate)
    return block * np.minimum(shares, 1.0).astype(np.float32), min(ended, 1.0)
