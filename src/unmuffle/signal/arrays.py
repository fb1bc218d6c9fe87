"""Audio arrays: the shapes and number formats callers have, and float32 [channels, samples], which we use."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError

# float32 and complex64 in fact: numpy's own annotations forget the precision in too many functions to insist here.
FloatArray: TypeAlias = npt.NDArray[np.floating[Any]]
ComplexArray: TypeAlias = npt.NDArray[np.complexfloating[Any, Any]]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
AnyArray: TypeAlias = npt.NDArray[Any]

MOST_ROWS_OF_A_SHORT_ARRAY = 32
"""Up to here an array with more rows than columns may be many channels of very few samples."""

_INTEGER_SCALES = {np.dtype(np.int16): 2.0**15, np.dtype(np.int32): 2.0**31}


def as_channels(audio: npt.ArrayLike) -> FloatArray:
    """Return audio as float32 [channels, samples] with full scale at 1.0.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``; float16, float32, float64 (full scale 1.0), int16 or int32.

    Raises
    ------
    InvalidAudioError
        If the array has another number of dimensions, looks like ``(samples, channels)``, has no channel, or holds
        another type of number.

    Examples
    --------
    >>> as_channels(np.array([0, 16384, -32768], dtype=np.int16))
    array([[ 0. ,  0.5, -1. ]], dtype=float32)
    """
    return to_float32(np.atleast_2d(check_shape(np.asarray(audio))))


def check_shape(audio: AnyArray) -> AnyArray:
    """Return the array if it is ``[samples]`` or ``[channels, samples]``, else raise naming the shape."""
    _check_numbers(audio)
    if audio.ndim not in (1, 2):
        raise InvalidAudioError(
            f"audio has {audio.ndim} dimensions (shape {audio.shape}); it must be [samples] or [channels, samples]"
        )
    if audio.ndim == 2:
        rows, columns = audio.shape
        if rows == 0:
            raise InvalidAudioError(f"audio has no channel (shape {audio.shape})")
        if rows > columns and rows > MOST_ROWS_OF_A_SHORT_ARRAY:
            raise InvalidAudioError(
                f"audio of shape {audio.shape} looks like (samples, channels); "
                "it must be (channels, samples): pass audio.T"
            )
    return audio


def to_float32(samples: AnyArray) -> FloatArray:
    """Scale samples to float32 with full scale 1.0; float32 comes back as it is, without a copy."""
    scale = _INTEGER_SCALES.get(samples.dtype)
    if scale is not None:
        return (samples * np.float64(1.0 / scale)).astype(np.float32)
    if samples.dtype.kind == "f":
        # A float64 beyond float32 becomes infinite here and is named by whoever checks for finite samples.
        with np.errstate(over="ignore"):
            return samples.astype(np.float32, copy=False)
    _check_numbers(samples)
    raise InvalidAudioError(
        f"audio of type {samples.dtype} has no known full scale; convert it to float32, float64, int16 or int32"
    )


def from_float32(samples: FloatArray, dtype: npt.DTypeLike) -> AnyArray:
    """Turn float32 samples into another number format; integers are rounded and clipped at full scale."""
    target = np.dtype(dtype)
    scale = _INTEGER_SCALES.get(target)
    if scale is None:
        return samples.astype(target, copy=False)
    scaled = samples.astype(np.float64) * scale
    np.rint(scaled, out=scaled)
    return np.clip(scaled, -scale, scale - 1.0, out=scaled).astype(target)


def _check_numbers(audio: AnyArray) -> None:
    if audio.dtype.kind in "SUO":
        raise InvalidAudioError(
            f"audio of type {audio.dtype} is no array of numbers: for a file use Enhancer().enhance_file, "
            "for bytes of PCM numpy.frombuffer(data, dtype=numpy.int16)"
        )


def find_nonfinite(samples: AnyArray) -> tuple[int, int, int] | None:
    """Return how many samples [channels, n] are NaN or infinite and channel and index of the first, or None."""
    bad = ~np.isfinite(samples)
    if not bad.any():
        return None
    # Turned round, the first is the first in time and not that of the first channel.
    index, channel = np.argwhere(bad.T)[0]
    return int(bad.sum()), int(channel), int(index)


def check_finite(name: str, samples: FloatArray) -> None:
    """Raise ``InvalidAudioError`` that names ``samples`` [channels, n] if one is NaN or infinite."""
    # NaN comes through both; unlike a look at each sample, this needs no memory.
    if samples.size == 0 or (np.isfinite(samples.min()) and np.isfinite(samples.max())):
        return
    bad = find_nonfinite(samples)
    if bad is not None:
        count, channel, index = bad
        raise InvalidAudioError(
            f"{name} holds {count:,} samples that are NaN or infinite, the first in channel {channel} at sample "
            f"{index:,}: replace them, as with numpy.nan_to_num"
        )
