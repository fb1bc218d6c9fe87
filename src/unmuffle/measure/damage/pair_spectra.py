"""Original and enhanced side by side in the time-frequency plane, made once for all measures of damage.

Hann windows on the grid of ``unmuffle.signal.grid``: 32 ms every 16 ms at any rate. A clip is analysed once and kept;
audio with more cells than ``MOST_KEPT`` is analysed anew by every measure, piece by piece, so that memory does
not grow with its length but by some bytes a frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from unmuffle.measure.damage.cells import HALO_S, Cells, Levels, judge
from unmuffle.measure.damage.checks import checked
from unmuffle.measure.single.framing import hann
from unmuffle.signal.arrays import AnyArray, BoolArray, ComplexArray, FloatArray
from unmuffle.signal.fft import rfft_of_frames
from unmuffle.signal.grid import Grid, grid_for

FRAMES_AT_ONCE = 1024
MOST_KEPT = 1_000_000
"""Cells of a channel, at some 30 bytes each: a minute at 16 kHz."""

LEAST_TALKING = 0.1
"""Share of speech cells from which on a frame is taken for speech."""


@dataclass(frozen=True)
class FrameSeries:
    """What is kept of every frame of a channel, arrays [frames].

    Attributes
    ----------
    talking : float32
        Share of speech cells.
    pause : bool
        Frames in which nobody speaks.
    speech_original, speech_enhanced : float64
        Power in the speech cells.
    floor_original, floor_enhanced : float64
        Power in the noise cells, each in parts of the noise expected there, and divided by the number of bins.
    floor_share : float32
        Share of noise cells.
    """

    talking: FloatArray
    pause: BoolArray
    speech_original: FloatArray
    speech_enhanced: FloatArray
    floor_original: FloatArray
    floor_enhanced: FloatArray
    floor_share: FloatArray


class ChannelSpectra:
    """One channel of a ``PairSpectra``.

    Parameters
    ----------
    audio : list of float32 [samples]
        Original, enhanced and, where there is one, reference.
    grid : Grid
        Of their sample rate.
    """

    def __init__(self, audio: list[FloatArray], grid: Grid) -> None:
        self.audio = audio
        self.grid = grid
        self._window = hann(grid.window)
        self._views = [np.lib.stride_tricks.sliding_window_view(one, grid.window)[:: grid.hop] for one in audio]
        self.frames = len(self._views[0])
        self._kept: list[Cells] | None = None

    def __iter__(self) -> Iterator[Cells]:
        """Go through the cells in stretches of at most ``FRAMES_AT_ONCE`` frames."""
        if self._kept is None and self.frames * self.grid.bins <= MOST_KEPT:
            self._kept = list(self._stretches())
        return iter(self._stretches() if self._kept is None else self._kept)

    @cached_property
    def series(self) -> FrameSeries:
        """What is kept of every frame."""
        return FrameSeries(*(np.concatenate(column) for column in zip(*map(_frame_sums, self), strict=True)))

    @cached_property
    def _levels(self) -> Levels:
        original = self.audio[0]
        # Of a cell: the power of the samples times the energy of the window.
        gain = float(np.square(self._window).sum())
        mean_power = gain * _dot(original, original) / original.size
        if len(self.audio) < 3:
            return Levels(mean_power)
        reference = self.audio[2]
        energy = _dot(reference, reference)
        scale = _dot(original, reference) / energy if energy else 0.0
        hop = self.grid.hop
        frames = reference[: reference.size // hop * hop].reshape(-1, hop)
        loud = float(np.quantile(np.einsum("fn,fn->f", frames, frames), 0.95)) / hop
        return Levels(mean_power, scale, gain * scale**2 * loud)

    def _stretches(self) -> Iterator[Cells]:
        halo = self.grid.frames(HALO_S)
        for start in range(0, self.frames, FRAMES_AT_ONCE):
            stop = min(start + FRAMES_AT_ONCE, self.frames)
            first, last = max(0, start - halo), min(self.frames, stop + halo)
            cells = judge([self._spectra(view[first:last]) for view in self._views], self.grid, self._levels)
            yield _inner(cells, slice(start - first, stop - first))

    def _spectra(self, frames: FloatArray) -> ComplexArray:
        return rfft_of_frames(frames * self._window)


class PairSpectra:
    """Original and enhanced audio, checked, and their cells channel by channel.

    Made once, it is what the functions ending in ``_of`` take, one beside each measure of damage.

    Parameters
    ----------
    original, enhanced : array_like
        ``[samples]`` or ``[channels, samples]``, of equal shape and in step; at least 0.25 s.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    reference : array_like, optional
        The clean speech of the original, in step with it; its level does not matter.

    Raises
    ------
    InvalidAudioError
        If shapes differ, there is too little audio, a sample is NaN or infinite, or original or reference is silent.
    InvalidParameterError
        If the rate is out of range.
    """

    def __init__(
        self,
        original: npt.ArrayLike,
        enhanced: npt.ArrayLike,
        sample_rate: int,
        reference: npt.ArrayLike | None = None,
    ) -> None:
        self.audio = checked(original, enhanced, sample_rate, reference)
        self.sample_rate = int(sample_rate)
        self.grid = grid_for(sample_rate)
        self.has_reference = reference is not None
        self.channels = tuple(ChannelSpectra(list(rows), self.grid) for rows in zip(*self.audio, strict=True))

    @property
    def seconds(self) -> float:
        """Length of the audio."""
        return self.audio[0].shape[1] / self.sample_rate


def speaking(series: FrameSeries) -> BoolArray:
    """Return the frames in which somebody speaks."""
    return series.talking >= LEAST_TALKING


def _frame_sums(cells: Cells) -> tuple[AnyArray, ...]:
    bins = cells.noise.shape[1]
    weights = cells.noise / cells.noise_psd
    return (
        cells.talking,
        cells.pause,
        np.einsum("fb,fb->f", cells.original, cells.speech, dtype=np.float64),
        np.einsum("fb,fb->f", cells.enhanced, cells.speech, dtype=np.float64),
        np.einsum("fb,fb->f", cells.original, weights, dtype=np.float64) / bins,
        np.einsum("fb,fb->f", cells.enhanced, weights, dtype=np.float64) / bins,
        cells.noise.mean(axis=1, dtype=np.float32),
    )


def _inner(cells: Cells, frames: slice) -> Cells:
    return Cells(
        cells.original[frames],
        cells.enhanced[frames],
        (cells.spectra[0][frames], cells.spectra[1][frames]),
        cells.noise_psd[frames],
        cells.speech[frames],
        cells.noise[frames],
        cells.talking[frames],
        cells.pause[frames],
    )


def _dot(one: FloatArray, other: FloatArray) -> float:
    return float(np.einsum("n,n->", one, other, dtype=np.float64))
