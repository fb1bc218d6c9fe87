"""Power spectra of frames, scaled so that levels can be read off.

A bin holds the mean square that a sine in its middle has: a full-scale sine reads -3.0 dBFS, as everywhere in the
package, and bins add up to the mean square of the audio times the window's noise bandwidth of 1.5 bins. This is the
scaling "spectrum" of scipy; the power density is a bin over ``NOISE_BANDWIDTH_BINS`` and its width in Hz. F. J. Harris,
"On the use of windows for harmonic analysis with the discrete Fourier transform", Proc. IEEE 66(1), 1978. A sine
between two bins reads up to 1.4 dB less in either.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from unmuffle.measure.single.framing import hann
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.grid import Grid

NOISE_BANDWIDTH_BINS = 1.5
"""Of the Hann window."""

LOWEST_DBFS = -200.0
"""Digital silence is told as this."""

INAUDIBLE_DBFS = -100.0
"""A bin of the grid with less than this is taken as empty where two signals are compared."""

_VALUES_AT_ONCE = 1 << 19


class PowerSpectra:
    """Hann-windowed frames of one even size to their power spectra.

    Parameters
    ----------
    size : int
        Samples in a frame.
    dtype : float32 or float64
        Of the computation.
    """

    def __init__(self, size: int, dtype: npt.DTypeLike = np.float32) -> None:
        self._window = hann(size).astype(dtype)
        self._scale = 2.0 / float(self._window.sum(dtype=np.float64)) ** 2

    def __call__(self, frames: FloatArray) -> FloatArray:
        """Return the mean square in each bin, [..., size // 2 + 1], of frames [..., size]."""
        spectra = np.fft.rfft(frames * self._window, axis=-1)
        power: FloatArray = spectra.real**2
        power += spectra.imag**2
        power *= self._scale
        # 0 Hz and half the sample rate have no counterpart at a negative frequency.
        power[..., [0, -1]] *= 0.5
        return power


def frame_count(samples: int, grid: Grid) -> int:
    """Return how many frames ``grid_frames`` gives for so many samples."""
    return -(-samples // grid.hop) + 1


def grid_frames(audio: FloatArray, grid: Grid) -> Iterator[FloatArray]:
    """Cut audio [channels, samples] as the package's STFT does: frame k is centred on sample ``k * hop``.

    What lies before the first and after the last sample is silence.

    Yields
    ------
    float32 [channels, frames, window]
        A few frames at a time, in order.
    """
    channels, samples = audio.shape
    count = frame_count(samples, grid)
    at_once = max(1, _VALUES_AT_ONCE // (channels * grid.window))
    for first in range(0, count, at_once):
        last = min(first + at_once, count)
        start, stop = (first - 1) * grid.hop, last * grid.hop
        piece = audio[:, max(start, 0) : min(stop, samples)]
        if start < 0 or stop > samples:
            piece = np.pad(piece, ((0, 0), (max(-start, 0), max(stop - samples, 0))))
        yield np.lib.stride_tricks.sliding_window_view(piece, grid.window, axis=1)[:, :: grid.hop]


def to_db(power: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return powers in dB, no lower than -200."""
    decibels: npt.NDArray[np.float64] = 10.0 * np.log10(np.maximum(power, 10.0 ** (LOWEST_DBFS / 10.0)))
    return decibels
