"""Speech without its long pauses, so that what is drawn from it is mostly speech.

Silence before, after and between utterances is cut down where it is longer than half a second or so; natural pauses
stay, since a network must learn what to do in them.
"""

from __future__ import annotations

import numpy as np

from unmuffle.signal.arrays import FloatArray

FRAME_S = 0.02
BELOW_LOUD_DB = 40.0
KEPT_FRAMES = 15
"""Frames of a pause that stay on each side of it."""
FADE_S = 0.005


def without_pauses(speech: FloatArray, rate: int) -> FloatArray:
    """Return speech [samples] with every pause longer than 0.6 s cut down to that, by fades of 5 ms."""
    frame = round(FRAME_S * rate)
    count = speech.size // frame
    powers = np.square(speech[: count * frame].reshape(-1, frame), dtype=np.float64).mean(1)
    active = powers > np.quantile(powers, 0.95) * 10 ** (-BELOW_LOUD_DB / 10)
    near = np.convolve(active, np.ones(2 * KEPT_FRAMES + 1), "full")[KEPT_FRAMES : KEPT_FRAMES + count] > 0.5
    edges = np.flatnonzero(np.diff(np.concatenate([[False], near, [False]]).astype(np.int8)))
    pieces = [(int(first) * frame, int(last) * frame) for first, last in edges.reshape(-1, 2)]
    if not pieces or pieces == [(0, count * frame)]:
        return speech
    return np.concatenate([_faded(speech[first:last], round(FADE_S * rate)) for first, last in pieces])


def _faded(piece: FloatArray, length: int) -> FloatArray:
    fade = np.linspace(0, 1, length, dtype=np.float32)
    faded = piece.copy()
    faded[:length] *= fade
    faded[-length:] *= fade[::-1]
    return faded
