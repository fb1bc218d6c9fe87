"""Between PyAV's frames and blocks of samples, without a loop over samples."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from unmuffle.signal.files.samples import Block, from_float, to_float

_SAMPLE_FORMATS = {"u8": "u8", "s16": "s16", "s32": "s32", "flt": "f32", "dbl": "f64"}
# PyAV counts separate channels by their pointers, of which FFmpeg keeps eight in one place: with all eight in use
# the count runs over.
_SAFE_PLANES = 7


def frame_to_block(frame: Any) -> Block:
    """Take the samples out of a decoded frame, shape [channels, n]."""
    values: npt.NDArray[Any] = frame.to_ndarray()
    if not frame.format.is_planar:
        values = values.reshape(-1, frame.layout.nb_channels).T
    return to_float(values, _SAMPLE_FORMATS[frame.format.name.removesuffix("p")])


def needs_packing(frame: Any) -> bool:
    """Whether a decoded frame has more separate channels than can be taken apart safely."""
    return bool(frame.format.is_planar and frame.layout.nb_channels > _SAFE_PLANES)


def packer(first: Any) -> Any:
    """Conversion to interleaved frames of the rate and channels of the first."""
    return av.AudioResampler(format=first.format.packed.name, layout=first.layout.name, rate=first.sample_rate)


def block_to_frame(block: Block, sample_format: str, frame_format: str, layout: str, rate: int) -> tuple[Any, int]:
    """Make a frame for an encoder.

    Parameters
    ----------
    block : ndarray of float32, shape [channels, n]
        Full scale is 1.0.
    sample_format : str
        What the samples are rounded to; 24-bit ones travel in the upper bytes of 32-bit ones.
    frame_format : str
        FFmpeg's name of the encoder's layout of samples.
    layout : str
        Name of the channel layout.
    rate : int
        Sample rate in Hz.

    Returns
    -------
    frame : av.AudioFrame
        The frame, without a time.
    clipped : int
        Samples held at full scale.
    """
    values, clipped = from_float(block, sample_format)
    if sample_format == "s24":
        values = values << 8
    if block.shape[0] > _SAFE_PLANES:
        # The encoder's own conversion takes them apart again.
        frame_format = frame_format.removesuffix("p")
    if not frame_format.endswith("p"):
        values = values.T.reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(values), frame_format, layout)
    frame.sample_rate = rate
    frame.time_base = Fraction(1, rate)
    return frame, clipped


def sample_format_of(frame_format: str) -> str:
    """Sample format that FFmpeg's name stands for: ``"f32"`` for ``"fltp"``."""
    return _SAMPLE_FORMATS[frame_format.removesuffix("p")]
