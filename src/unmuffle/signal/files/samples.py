"""Between bytes or integers and float32 samples: exact up to 24 bits, rounded half to even, never wrapped.

Integers become floats by division by 2^(bits - 1). A float32 holds 24 bits: 8, 16 and 24-bit samples and
32-bit floats come back bit for bit, 32-bit integers and 64-bit floats keep their upper 24 bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Block = npt.NDArray[np.float32]

SAMPLE_BYTES = {"u8": 1, "s16": 2, "s24": 3, "s32": 4, "f32": 4, "f64": 8}
_BITS = {"u8": 8, "s16": 16, "s24": 24, "s32": 32}
_DTYPES = {"u8": "u1", "s16": "i2", "s24": "i4", "s32": "i4", "f32": "f4", "f64": "f8"}


def decode_pcm(data: bytes, sample_format: str, channels: int, *, big_endian: bool = False) -> Block:
    """Turn interleaved PCM bytes into samples.

    Parameters
    ----------
    data : bytes
        A whole number of frames.
    sample_format : str
        ``"u8"``, ``"s16"``, ``"s24"``, ``"s32"``, ``"f32"`` or ``"f64"``.
    channels : int
        Number of interleaved channels.
    big_endian : bool, default False
        Byte order.

    Returns
    -------
    ndarray of float32, shape [channels, n]
        Full scale is 1.0; C-contiguous.
    """
    if sample_format == "s24":
        values: npt.NDArray[Any] = _widen_24(data, big_endian)
        sample_format = "s32"
    else:
        values = np.frombuffer(data, dtype=(">" if big_endian else "<") + _DTYPES[sample_format])
    return to_float(values.reshape(-1, channels).T, sample_format)


def to_float(values: npt.NDArray[Any], sample_format: str) -> Block:
    """Turn integers or floats of any shape into C-contiguous float32 with full scale at 1.0."""
    samples = np.ascontiguousarray(values, dtype=np.float32)
    if sample_format == "u8":
        return (samples - np.float32(128.0)) * np.float32(2.0**-7)
    if sample_format in _BITS:
        return samples * np.float32(2.0 ** (1 - _BITS[sample_format]))
    return samples


def encode_pcm(block: Block, sample_format: str, *, big_endian: bool = False) -> tuple[bytes, int]:
    """Turn samples into interleaved PCM bytes.

    Parameters
    ----------
    block : ndarray of float32, shape [channels, n]
        Full scale is 1.0. Must be free of NaN for integer formats.
    sample_format : str
        ``"u8"``, ``"s16"``, ``"s24"``, ``"s32"``, ``"f32"`` or ``"f64"``.
    big_endian : bool, default False
        Byte order.

    Returns
    -------
    data : bytes
        The frames.
    clipped : int
        How many samples were beyond full scale and were held there.
    """
    order = ">" if big_endian else "<"
    values, clipped = from_float(block, sample_format)
    interleaved = np.ascontiguousarray(values.T, dtype=order + _DTYPES[sample_format])
    if sample_format == "s24":
        octets = interleaved.view(np.uint8).reshape(-1, 4)
        return np.ascontiguousarray(octets[:, 1:] if big_endian else octets[:, :3]).tobytes(), clipped
    return interleaved.tobytes(), clipped


def from_float(block: Block, sample_format: str) -> tuple[npt.NDArray[Any], int]:
    """Turn float32 samples into integers (24-bit ones right-aligned in 32) or floats, and count the clipped."""
    bits = _BITS.get(sample_format)
    if bits is None:
        return block.astype(_DTYPES[sample_format], copy=False), 0
    clipped = count_beyond_full_scale(block)
    # float32 cannot hold 2^31 - 1, the largest 32-bit sample.
    wide: npt.NDArray[Any] = block.astype(np.float64) if bits == 32 else block
    scale = 2.0 ** (bits - 1)
    scaled = np.rint(wide * wide.dtype.type(scale))
    np.clip(scaled, -scale, scale - 1, out=scaled)
    if sample_format == "u8":
        scaled += 128
    return scaled.astype(_DTYPES[sample_format]), clipped


def count_beyond_full_scale(block: Block) -> int:
    """How many samples are above 1.0 or below -1.0."""
    if block.size == 0 or (block.max() <= 1.0 and block.min() >= -1.0):
        return 0
    return int(np.count_nonzero(np.abs(block) > 1.0))


def _widen_24(data: bytes, big_endian: bool) -> npt.NDArray[np.int32]:
    """Put 3-byte integers into the upper bytes of 4-byte ones."""
    octets = np.frombuffer(data, dtype=np.uint8).reshape(-1, 3)
    wide = np.zeros((len(octets), 4), dtype=np.uint8)
    wide[:, 1:] = octets[:, ::-1] if big_endian else octets
    return wide.view("<i4").reshape(-1).astype(np.int32, copy=False)
