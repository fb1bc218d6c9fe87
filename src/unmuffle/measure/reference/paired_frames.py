"""Frame by frame over a reference and an estimate, with scratch memory that does not grow with their length."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from unmuffle.measure.reference.pairs import silent_reference
from unmuffle.signal.arrays import BoolArray, FloatArray

Floats: TypeAlias = npt.NDArray[np.float64]

SILENT_BELOW = 1e-4
"""A reference frame with less than this share of the loudest one's energy (-40 dB) is silence."""

_FRAMES_AT_ONCE = 1024


@dataclass(frozen=True)
class Framing:
    """How audio is cut.

    Attributes
    ----------
    hop : int
        Samples from one frame's start to the next.
    window : float64 [n]
        What a frame is multiplied with; its length is that of a frame.
    """

    hop: int
    window: Floats


def loizou_framing(sample_rate: int) -> Framing:
    """Return the frames of P. C. Loizou's measures: 30 ms, a quarter apart, under a Hann window without its zeros."""
    size = round(0.030 * sample_rate)
    return Framing(size // 4, np.hanning(size + 2)[1:-1])


def over_frames(
    measure: Callable[[Floats, Floats], Floats], reference: FloatArray, estimate: FloatArray, framing: Framing
) -> Floats:
    """Return what a measure of frames [n, size] and [n, size] says of each, [frames].

    Parameters
    ----------
    measure : callable
        Takes windowed frames of both, float64, and returns a number for each.
    reference, estimate : float [samples]
        Equally long.
    framing : Framing
        Samples after the last whole frame are left out.
    """
    views = [
        np.lib.stride_tricks.sliding_window_view(audio, framing.window.size)[:: framing.hop]
        for audio in (reference, estimate)
    ]
    return np.concatenate(
        [
            measure(*(view[start : start + _FRAMES_AT_ONCE] * framing.window for view in views))
            for start in range(0, len(views[0]), _FRAMES_AT_ONCE)
        ]
    )


def energies(reference: FloatArray, framing: Framing) -> Floats:
    """Return the energy of each windowed frame, [frames]."""
    return over_frames(lambda frames, _: np.einsum("fn,fn->f", frames, frames), reference, reference, framing)


def sounding(energy: Floats, measure: str) -> BoolArray:
    """Return which reference frames are not silence, [frames]; raise ``InvalidAudioError`` where all are."""
    loudest = energy.max()
    if loudest == 0.0:
        raise silent_reference(measure, "no whole frame of the reference holds any")
    return energy >= SILENT_BELOW * loudest


def mean_of_lowest(values: Floats, share: float = 0.95) -> float:
    """Return the mean without the highest values, as Loizou's measures leave out the worst 5 % of the frames."""
    kept = max(1, int(share * values.size + 0.5))
    return float(np.sort(values)[:kept].mean())
