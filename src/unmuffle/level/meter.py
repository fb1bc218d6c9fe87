"""What every meter and analyser of a stream shares: checked blocks, handed on in pieces of bounded size."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.grid import check_channels, check_sample_rate

_PIECE = 1 << 16
"""Longer blocks are cut here: an hour given in one call needs no more scratch memory than a second."""

LOUDEST = 1e6
"""Samples beyond this magnitude are taken as this: their powers stay far within float32."""


class Meter(ABC):
    """Takes a stream in blocks and measures it; the result does not depend on how the stream was cut.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block, at least 1.

    Raises
    ------
    InvalidParameterError
        If the rate or the number of channels is outside its range.
    """

    def __init__(self, sample_rate: int, channels: int = 1) -> None:
        self.sample_rate = check_sample_rate(sample_rate)
        self.channels = check_channels(channels)
        self.samples = 0

    @property
    def seconds(self) -> float:
        """How much has been heard."""
        return self.samples / self.sample_rate

    def process(self, block: npt.ArrayLike) -> None:
        """Take the next block in.

        Parameters
        ----------
        block : float32 [channels, n]
            Full scale is 1.0; ``n`` may be anything from 0 up. Magnitudes above 1e6 count as 1e6.

        Raises
        ------
        InvalidAudioError
            If the block has another shape or type, or holds NaN or infinity.
        """
        array = np.asarray(block)
        if array.ndim != 2 or array.shape[0] != self.channels:
            raise InvalidAudioError(f"a block must have shape [{self.channels}, samples], not {list(array.shape)}")
        if array.dtype.kind != "f":
            raise InvalidAudioError(f"a block must be float32 with full scale 1.0, not {array.dtype}")
        for piece in _pieces(array):
            samples = _bounded(piece)
            self.samples += samples.shape[1]
            self._process(samples)

    @abstractmethod
    def _process(self, block: FloatArray) -> None: ...


def _pieces(array: npt.NDArray[np.floating]) -> Iterator[npt.NDArray[np.floating]]:
    for start in range(0, array.shape[1], _PIECE):
        yield array[:, start : start + _PIECE]


def _bounded(piece: npt.NDArray[np.floating]) -> FloatArray:
    peak = max(piece.max(), -piece.min())
    if peak <= LOUDEST:
        return piece.astype(np.float32, copy=False)
    # NaN compares false with everything, so it lands here as well.
    if not np.isfinite(piece).all():
        bad = int(np.size(piece) - np.isfinite(piece).sum())
        raise InvalidAudioError(f"audio holds {bad} NaN or infinite samples: replace them, as with numpy.nan_to_num")
    bounded: FloatArray = np.clip(piece, -LOUDEST, LOUDEST).astype(np.float32)
    return bounded
