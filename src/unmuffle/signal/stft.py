"""Short-time Fourier analysis and synthesis of a stream, many channels at once.

Frames are weighted by a square-root Hann window in analysis and again in synthesis. The window is sampled half a
sample off its zeros, w[n] = sin(pi (n + 1/2) / N), so that w^2[n] + w^2[n + N/2] = 1 exactly and the overlap-add
rebuilds the input (J. P. Princen and A. B. Bradley, "Analysis/synthesis filter bank design based on time domain
aliasing cancellation", IEEE Trans. ASSP 34(5), 1986, eq. 21 and following). Where a window has R hops instead of two,
the squares add up to R / 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import numpy as np

from unmuffle.signal.arrays import BoolArray, ComplexArray, FloatArray
from unmuffle.signal.grid import Grid

FRAMES_AT_ONCE = 16
"""Frames of one channel that are transformed in one call: enough to hide the call, few enough for the cache."""


def sqrt_hann(size: int) -> FloatArray:
    """Square root of a Hann window of even size, sampled half a sample off its zeros; float32 [size]."""
    return np.sin(np.pi * (np.arange(size) + 0.5) / size).astype(np.float32)


class StftStream:
    """Blocks of any size in, frames out, and back again, in step.

    Frame ``k`` covers the ``window`` samples up to ``(k + 1) * hop``, which are two hops unless the grid has more; what
    lies before the first sample is silence. When frame ``k`` comes back through ``synthesize``, the ``hop`` samples
    that it begins with are complete. So an output sample depends on input at most ``window - 1`` samples later.

    All arrays inside are made once; a frame allocates nothing but what the FFT does for itself.

    Parameters
    ----------
    grid : Grid
        Hop and window, from ``unmuffle.signal.grid.grid_for``.
    channels : int
        Rows of every block.
    frames_at_once : int, default 16
        Frames of one channel that come together at most; of more channels, fewer.

    Examples
    --------
    >>> from unmuffle.signal.grid import grid_for
    >>> stream = StftStream(grid_for(16_000), channels=1)
    >>> [spectra.shape for spectra in stream.analyze(np.zeros((1, 600), np.float32))]
    [(2, 1, 257)]
    """

    def __init__(self, grid: Grid, channels: int, frames_at_once: int = FRAMES_AT_ONCE) -> None:
        self.grid = grid
        self.channels = channels
        self.frames_at_once = max(1, frames_at_once // channels)
        most, window, hop = self.frames_at_once, grid.window, grid.hop
        self._older = grid.hops_a_window - 1
        self._window = sqrt_hann(window)
        self._synthesis_window = self._window * np.float32(2.0 / grid.hops_a_window)
        # numpy transforms float32 in float32 only where it scales, so it is had to divide by what the window brings in.
        self._analysis_window: FloatArray = (self._window * np.float64(window)).astype(np.float32)
        self._input: FloatArray = np.zeros((channels, (most + self._older) * hop), np.float32)
        channel_stride, sample_stride = self._input.strides
        self._frames_of_input = np.lib.stride_tricks.as_strided(
            self._input, (most, channels, window), (hop * sample_stride, channel_stride, sample_stride)
        )
        self._windowed: FloatArray = np.empty((most, channels, window), np.float32)
        self._spectra: ComplexArray = np.empty((most, channels, grid.bins), np.complex64)
        # The first slots hold the frames before those of the current call: their ends are still to be overlapped.
        self._rebuilt: FloatArray = np.zeros((most + self._older, channels, window), np.float32)
        self._filled = self._older * hop

    @property
    def waiting(self) -> int:
        """Samples that have come in and are not yet the newest hop of a frame; 0 to hop - 1."""
        return self._filled - self._older * self.grid.hop

    @property
    def row_states(self) -> tuple[FloatArray, FloatArray]:
        """What is known of the channels between two hops, for analysis and for synthesis, [channels, ...]; views."""
        return self._input[:, : self._older * self.grid.hop], self._rebuilt[: self._older].swapaxes(0, 1)

    def frames_after(self, samples: int) -> int:
        """Return how many frames the next so many samples will complete."""
        return (self.waiting + samples) // self.grid.hop

    def analyze(self, block: FloatArray) -> Iterator[ComplexArray]:
        """Take a block [channels, n] in and yield the spectra it completes.

        Yields
        ------
        complex64 [frames, channels, bins]
            One to ``frames_at_once`` frames in order. The array belongs to the stream: it may be changed in place,
            and is overwritten by the next.
        """
        start = 0
        while start < block.shape[1]:
            taken = min(block.shape[1] - start, self._input.shape[1] - self._filled)
            self._input[:, self._filled : self._filled + taken] = block[:, start : start + taken]
            self._filled += taken
            start += taken
            frames = self.waiting // self.grid.hop
            if frames:
                yield self._transform(frames)

    def synthesize(self, spectra: ComplexArray, out: FloatArray) -> None:
        """Overlap-add the frames [frames, channels, bins] into ``out`` [channels, frames * hop]."""
        frames, hop, older = len(spectra), self.grid.hop, self._older
        # numpy's annotations know double precision only, hence the casts.
        fresh = self._rebuilt[older : older + frames]
        np.fft.irfft(spectra, self.grid.window, out=cast(Any, fresh))
        fresh *= self._synthesis_window
        complete = out.reshape(self.channels, frames, hop)
        np.add(self._part(0, frames), self._part(1, frames), out=complete)
        for part in range(2, self.grid.hops_a_window):
            complete += self._part(part, frames)
        self._rebuilt[:older] = self._rebuilt[frames : frames + older]

    def _part(self, part: int, frames: int) -> FloatArray:
        """What the frames that began so many hops earlier give to each of the next frames, [channels, frames, hop]."""
        first, hop = self._older - part, self.grid.hop
        return self._rebuilt[first : first + frames, :, part * hop : (part + 1) * hop].swapaxes(0, 1)

    def reset(self, mask: BoolArray | None = None) -> None:
        """Forget the past of all channels, or of those in the mask [channels]; a mask keeps the frame clock."""
        if mask is None:
            self._filled = self._older * self.grid.hop
            mask = np.ones(self.channels, np.bool_)
        self._input[mask] = 0.0
        self._rebuilt[: self._older, mask] = 0.0

    def _transform(self, frames: int) -> ComplexArray:
        windowed, spectra = self._windowed[:frames], self._spectra[:frames]
        np.multiply(self._frames_of_input[:frames], self._analysis_window, out=windowed)
        np.fft.rfft(windowed, norm="forward", out=cast(Any, spectra))
        used = frames * self.grid.hop
        self._input[:, : self._filled - used] = self._input[:, used : self._filled]
        self._filled -= used
        return spectra
