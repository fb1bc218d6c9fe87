"""The time-frequency grid: 32 ms windows every 16 ms, at every sample rate.

The grid is tied to physics and not to a sample rate, so a bin is about 31.25 Hz wide and a frame 16 ms long
whether the audio comes at 8, 44.1 or 192 kHz. The hop is the whole number nearest to 16 ms whose factors are
2, 3, 5, 7 and 11 only, which are the radices an FFT has fast kernels for; the window is two hops, or more where a
method asks for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from numbers import Real

import numpy as np

from unmuffle.errors import InvalidParameterError
from unmuffle.signal.arrays import FloatArray

HOP_S = 0.016
MIN_SAMPLE_RATE_HZ = 8_000
MAX_SAMPLE_RATE_HZ = 192_000


@dataclass(frozen=True)
class Grid:
    """Frames and bins of one sample rate; make it with ``grid_for``.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    hop : int
        Samples from one frame to the next, about 16 ms.
    hops_a_window : int, default 2
        Hops in a window, an even number.
    """

    sample_rate: int
    hop: int
    hops_a_window: int = 2

    @property
    def window(self) -> int:
        """Samples in a frame: two hops unless more were asked for."""
        return self.hops_a_window * self.hop

    @property
    def bins(self) -> int:
        """Frequency bins from 0 Hz to half the sample rate, both included."""
        return self.window // 2 + 1

    @property
    def bin_hz(self) -> float:
        """Distance from one bin to the next, about 31.25 Hz where the window is two hops."""
        return self.sample_rate / self.window

    @property
    def hop_s(self) -> float:
        """Time from one frame to the next in seconds."""
        return self.hop / self.sample_rate

    @property
    def frequencies_hz(self) -> FloatArray:
        """Centre of each bin in Hz, float32 [bins]."""
        return (np.arange(self.bins) * self.bin_hz).astype(np.float32)

    def smoothing(self, time_constant_s: float) -> float:
        """Pole of a first-order recursive average over frames with this time constant in seconds."""
        return float(np.exp(-self.hop_s / time_constant_s))

    def frames(self, seconds: float) -> int:
        """Whole frames, at least one, nearest to a time span in seconds."""
        return max(1, round(seconds / self.hop_s))


def is_whole(number: object) -> bool:
    """Return whether something a caller gave is a whole number of any type: not NaN, infinity, a bool or text."""
    return not isinstance(number, bool) and isinstance(number, Real) and isfinite(number) and number % 1 == 0


def check_sample_rate(sample_rate: int) -> int:
    """Return the rate as an int, or raise ``InvalidParameterError`` if it is not 8,000 to 192,000 Hz."""
    if not is_whole(sample_rate):
        raise InvalidParameterError(f"sample_rate must be a whole number of Hz, not {sample_rate!r}")
    if not MIN_SAMPLE_RATE_HZ <= sample_rate <= MAX_SAMPLE_RATE_HZ:
        raise InvalidParameterError(
            f"sample_rate is {sample_rate} Hz; {MIN_SAMPLE_RATE_HZ} to {MAX_SAMPLE_RATE_HZ} Hz can be processed: "
            "resample it first, with ffmpeg -ar or unmuffle.signal.resample"
        )
    return int(sample_rate)


def check_channels(channels: int) -> int:
    """Return the number of channels as an int, or raise ``InvalidParameterError`` if it is not at least 1."""
    if not is_whole(channels) or channels < 1:
        raise InvalidParameterError(f"channels must be a whole number of at least 1, not {channels!r}")
    return int(channels)


@lru_cache(maxsize=32)
def grid_for(sample_rate: int, hops_a_window: int = 2) -> Grid:
    """Return the grid of a sample rate.

    Parameters
    ----------
    sample_rate : int
        8,000 to 192,000 Hz.
    hops_a_window : int, default 2
        2 for windows of 32 ms; 4 for those of 64 ms, whose bins are half as wide.

    Raises
    ------
    InvalidParameterError
        If the rate is out of range or not a whole number, or the hops are odd or fewer than 2.

    Examples
    --------
    >>> grid_for(48_000).hop, grid_for(44_100).hop, grid_for(44_100).window
    (768, 704, 1408)
    """
    rate = check_sample_rate(sample_rate)
    if hops_a_window < 2 or hops_a_window % 2:
        raise InvalidParameterError(f"a window must have an even number of hops, at least 2, not {hops_a_window!r}")
    wanted = rate * HOP_S
    nearby = range(int(wanted * 0.9), int(wanted * 1.1) + 2)
    return Grid(rate, min(filter(_is_fft_friendly, nearby), key=lambda hop: abs(hop - wanted)), hops_a_window)


def _is_fft_friendly(size: int) -> bool:
    for radix in (2, 3, 5, 7, 11):
        while size % radix == 0:
            size //= radix
    return size == 1
