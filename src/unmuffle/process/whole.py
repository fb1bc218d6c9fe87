"""A processor over a whole array, for the one-shot functions beside the classes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.process.processor import Processor
from unmuffle.signal.arrays import AnyArray, FloatArray, check_shape, from_float32, to_float32

SAMPLES_AT_ONCE = 1 << 18


def process_whole(audio: npt.ArrayLike, make_processor: Callable[[int], Processor]) -> AnyArray:
    """Run a new processor over a whole array.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``; float (full scale 1.0), int16 or int32. It is not changed.
    make_processor : callable
        Takes the number of channels and returns a processor.

    Returns
    -------
    ndarray
        Of the shape and type of ``audio``.

    Raises
    ------
    InvalidAudioError
        If the array is empty, has a wrong shape or type, or holds NaN or infinity.
    """
    given = check_whole(audio)
    samples = np.atleast_2d(given)
    return run_whole(make_processor(len(samples)), samples).reshape(given.shape)


def check_whole(audio: npt.ArrayLike) -> AnyArray:
    """Return an array of audio with at least one sample, else raise naming its shape."""
    given = check_shape(np.asarray(audio))
    if given.shape[-1] == 0:
        raise InvalidAudioError(f"audio has no samples (shape {given.shape})")
    return given


def run_whole(
    processor: Processor, samples: AnyArray, check: Callable[[FloatArray, int], None] | None = None
) -> AnyArray:
    """Feed a processor with [channels, samples] and return all it gives, of the same type.

    ``check`` is called with each block and the place of its first sample, before the processor has it.
    """
    out = np.empty_like(samples)
    done = 0
    for start in range(0, samples.shape[1], SAMPLES_AT_ONCE):
        block = to_float32(samples[:, start : start + SAMPLES_AT_ONCE])
        if check is not None:
            check(block, start)
        done = _put(processor.process(block), out, done)
    _put(processor.flush(), out, done)
    return out


def _put(block: FloatArray, out: AnyArray, done: int) -> int:
    stop = done + block.shape[1]
    out[:, done:stop] = from_float32(block, out.dtype)
    return stop
