"""Frames and numbers: grids, STFT, resampling, buffers; audio files are in ``unmuffle.signal.files``."""

from unmuffle.signal.arrays import as_channels, from_float32, to_float32
from unmuffle.signal.grid import Grid, grid_for
from unmuffle.signal.resample import Resampler, resample
from unmuffle.signal.stft import StftStream

__all__ = [
    "Grid",
    "Resampler",
    "StftStream",
    "as_channels",
    "from_float32",
    "grid_for",
    "resample",
    "to_float32",
]
