"""The low band of a stream at a low rate, where hum is looked for: a linear-phase FIR and every m-th sample of it."""

from __future__ import annotations

from math import ceil

import numpy as np

from unmuffle.signal.arrays import BoolArray, FloatArray

TOP_HZ = 2_000.0
"""Hum is followed up to here."""

_LEAST_RATE_HZ = 5_000.0
_STOP_DB = 70.0
_FRAME_S = 0.025


class Decimator:
    """Keeps every m-th sample of the band below 2 kHz, frame by frame.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int
        Rows of every frame.

    Attributes
    ----------
    factor : int
        One sample in so many is kept.
    rate_hz : float
        The low rate, 5,000 Hz or a little more.
    frame : int
        Samples in a frame at the full rate, about 25 ms.
    hop : int
        Samples in a frame at the low rate.
    delay_s : float
        From the middle of what the last low sample stands for to the next sample at the full rate.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self.factor = int(sample_rate // _LEAST_RATE_HZ)
        self.rate_hz = sample_rate / self.factor
        self.hop = round(_FRAME_S * self.rate_hz)
        self.frame = self.hop * self.factor
        self._taps = _low_pass(sample_rate, self.rate_hz)
        self.delay_s = (self._taps.size + 1) / 2 / sample_rate
        self._samples: FloatArray = np.zeros((channels, self._taps.size - 1 + self.frame), np.float32)
        last = self._samples[:, self.factor - 1 :]
        spans = np.lib.stride_tricks.sliding_window_view(last, self._taps.size, axis=1)
        self._spans = spans[:, :: self.factor]

    def process(self, frame: FloatArray) -> FloatArray:
        """Take the next frame [channels, frame] and return its low band [channels, hop]."""
        self._samples[:, : -self.frame] = self._samples[:, self.frame :]
        self._samples[:, -self.frame :] = frame
        low: FloatArray = self._spans @ self._taps
        return low

    def reset(self, mask: BoolArray) -> None:
        """Forget the past of the channels in the mask."""
        self._samples[mask] = 0.0


def _low_pass(sample_rate: int, low_rate_hz: float) -> FloatArray:
    """Return a Kaiser-windowed sinc that keeps the band and nothing that would fold into it, float32 [odd]."""
    from scipy.signal import firwin, kaiser_beta

    if low_rate_hz == sample_rate:
        return np.ones(1, np.float32)
    stop_hz = low_rate_hz - TOP_HZ
    # Kaiser's formula for the length.
    taps = ceil((_STOP_DB - 7.95) / (2.285 * 2.0 * np.pi * (stop_hz - TOP_HZ) / sample_rate)) | 1
    filtered: FloatArray = firwin(
        taps, 0.5 * (TOP_HZ + stop_hz), window=("kaiser", kaiser_beta(_STOP_DB)), fs=sample_rate
    )
    return filtered.astype(np.float32)
