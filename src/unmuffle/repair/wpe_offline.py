"""Dereverberation by weighted prediction error, block by block: the method of ``wpe_block`` in constant memory.

Blocks of some seconds overlap by half and are cross-faded in the spectrum, each with the filters that are best for the
whole of it. It finds more than ``Wpe`` can, which knows only what has been, and lags by a block.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidParameterError
from unmuffle.process.processor import NonFinite
from unmuffle.process.stft_processor import StftProcessor
from unmuffle.process.whole import process_whole
from unmuffle.repair.wpe import HOPS_A_WINDOW, SHARES_OF_TAPS, bands_of_bins, check_taps, default_taps
from unmuffle.repair.wpe_block import clear_block
from unmuffle.signal.arrays import AnyArray, BoolArray, ComplexArray, FloatArray
from unmuffle.signal.grid import grid_for, is_whole

RIDGE = 20.0


class WpeOffline(StftProcessor):
    """Takes late reverberation off a recording, in overlapping blocks.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    taps, delay : int, default 0 and 3
        See ``Wpe``.
    iterations : int, default 3
        How often power and filters are found in turns, 1 to 20.
    block_s : float, default 8
        Seconds in a block, 0.1 to 60; the latency is 64 ms more.
    link_channels : bool, default False
        Predict each channel from all of them. The channels then are one recording: none of them can be reset alone.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Raises
    ------
    InvalidParameterError
        If a parameter is out of its range.
    """

    def __init__(
        self,
        sample_rate: int,
        channels: int = 1,
        *,
        taps: int = 0,
        delay: int = 3,
        iterations: int = 3,
        block_s: float = 8.0,
        link_channels: bool = False,
        nonfinite: NonFinite = "raise",
    ) -> None:
        check_taps(taps, delay)
        if not is_whole(iterations) or not 1 <= iterations <= 20:
            raise InvalidParameterError(f"iterations is {iterations!r}; it must be 1 to 20, for instance 3")
        if not 0.1 <= block_s <= 60.0:
            raise InvalidParameterError(f"block_s is {block_s!r}; it must be 0.1 to 60 s, for instance 8")
        grid = grid_for(sample_rate, HOPS_A_WINDOW)
        half = grid.frames(0.5 * block_s)
        super().__init__(sample_rate, channels, grid=grid, step=half, held=half, nonfinite=nonfinite)
        self.link_channels = bool(link_channels) and self.channels > 1
        linked = self.channels if self.link_channels else 1
        self.taps, self.delay, self.iterations = int(taps) or default_taps(linked), int(delay), int(iterations)
        self._groups = self.channels // linked
        self._rise: FloatArray = ((np.arange(half, dtype=np.float32) + 0.5) / half)[:, None, None]
        shape = (self.channels, self.grid.bins)
        self._before = self.taps + self.delay - 1
        self._frames: ComplexArray = np.zeros((self._before + 2 * half, *shape), np.complex64)
        self._falling: ComplexArray = np.zeros((half, *shape), np.complex64)
        self._filled = self._before + half

    @property
    def linked(self) -> bool:
        """Whether each channel is predicted from all of them."""
        return self.link_channels

    def _change(self, spectra: ComplexArray) -> ComplexArray:
        ready = [np.zeros((0, *spectra.shape[1:]), np.complex64)]
        while len(spectra):
            taken = min(len(spectra), len(self._frames) - self._filled)
            self._frames[self._filled : self._filled + taken] = spectra[:taken]
            self._filled += taken
            spectra = spectra[taken:]
            if self._filled == len(self._frames):
                ready.append(self._next_half())
        return np.concatenate(ready)

    def _next_half(self) -> ComplexArray:
        """Clear the block that is full and return its first half, cross-faded with the second half of the last."""
        half = self._step
        cleared = self._cleared()
        faded = self._falling + self._rise * cleared[:half]
        self._falling = self._rise[::-1] * cleared[half:]
        self._filled -= half
        self._frames[: self._filled] = self._frames[half:]
        return faded

    def _cleared(self) -> ComplexArray:
        cleared = self._frames[self._before :].copy()
        inputs = self.channels // self._groups
        for bins, share in zip(bands_of_bins(self.grid.bin_hz, self.grid.bins), SHARES_OF_TAPS, strict=False):
            taps = max(1, round(share * self.taps))
            frames = self._frames[self.taps - taps :, :, bins]
            for first in range(0, self.channels, inputs):
                group = slice(first, first + inputs)
                cleared[:, group, bins] = clear_block(frames[:, group], taps, self.delay, self.iterations, RIDGE)
        return cleared

    def _forget(self, mask: BoolArray | None) -> None:
        chosen = slice(None) if mask is None else mask
        self._frames[:, chosen] = 0.0
        self._falling[:, chosen] = 0.0
        if mask is None:
            self._filled = self._before + self._step


def wpe_offline(
    audio: npt.ArrayLike,
    sample_rate: int,
    *,
    taps: int = 0,
    delay: int = 3,
    iterations: int = 3,
    block_s: float = 8.0,
    link_channels: bool = True,
) -> AnyArray:
    """Take late reverberation off audio, block by block as ``WpeOffline`` does on a stream.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``; float (full scale 1.0), int16 or int32.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    taps, delay, iterations, block_s, link_channels
        See ``WpeOffline``; channels are linked unless told otherwise.

    Returns
    -------
    ndarray
        Of the shape and type of ``audio``.

    Raises
    ------
    InvalidAudioError
        If the array is empty, has a wrong shape or type, or holds NaN or infinity.
    InvalidParameterError
        If a parameter is out of its range.
    """
    return process_whole(
        audio,
        lambda channels: WpeOffline(
            sample_rate,
            channels,
            taps=taps,
            delay=delay,
            iterations=iterations,
            block_s=block_s,
            link_channels=link_channels,
        ),
    )
