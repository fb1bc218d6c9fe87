"""Packets lost on the way: frames of 20 ms that never arrive, and what a receiver plays in their place.

Losses come in bursts (E. N. Gilbert, "Capacity of a burst-noise channel", Bell System Technical Journal 39(5), 1960):
two states, in one of which every packet is lost. A receiver is silent, repeats the last frame, or repeats the last
period of the voice's pitch, as in ITU-T G.711 Appendix I; what it repeats falls silent within 60 ms.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unmuffle.train.data.filters import Clip

FRAME_S = 0.02
SHARE, BURST = (0.01, 0.15), (1.0, 3.0)
"""Share of the packets that are lost, and mean length of a burst in packets."""
CONCEALMENTS = ("silence", "frame", "pitch")
PITCH_S = (0.0025, 0.015)
HOLD_S, FALL_S, SMOOTH_S = 0.01, 0.05, 0.004


def lose_packets(random: np.random.Generator, clip: Clip, rate: int) -> Clip:
    """Return a clip [samples] of which some frames were lost and replaced, drawn at random."""
    frame = round(FRAME_S * rate)
    lost = draw_losses(random, -(-clip.size // frame), random.uniform(*SHARE), random.uniform(*BURST))
    return conceal(clip, rate, lost, CONCEALMENTS[int(random.integers(len(CONCEALMENTS)))])


def draw_losses(random: np.random.Generator, frames: int, share: float, burst: float) -> NDArray[np.bool_]:
    """Say which frames are lost [frames]: a share of them in the long run, in bursts of so many on average."""
    ends = 1 / burst
    begins = share * ends / (1 - share)
    draws = random.random(frames)
    lost = np.zeros(frames, np.bool_)
    state = False
    for number, drawn in enumerate(draws):
        state = drawn >= ends if state else drawn < begins
        lost[number] = state
    return lost


def conceal(clip: Clip, rate: int, lost: NDArray[np.bool_], concealment: str) -> Clip:
    """Return a clip with the frames marked in ``lost`` replaced.

    Parameters
    ----------
    clip : ndarray [samples]
        What was sent.
    rate : int
        In Hz.
    lost : ndarray of bool [frames]
        Which frames of 20 ms do not arrive.
    concealment : str
        ``silence``, ``frame`` or ``pitch``.
    """
    heard, frame = clip.copy(), round(FRAME_S * rate)
    edges = np.diff(np.concatenate([[0], lost.astype(np.int8), [0]]))
    for first, last in zip(np.flatnonzero(edges > 0), np.flatnonzero(edges < 0), strict=True):
        start, end = int(first) * frame, min(int(last) * frame, clip.size)
        # Only what has been played may be played again.
        past = heard[max(0, start - round(2 * PITCH_S[1] * rate)) : start]
        filled = _fill(past, end - start, rate, concealment)
        heard[start:end] = filled
        if concealment != "silence":
            _join(heard, end, filled, rate)
    return heard


def _fill(past: Clip, length: int, rate: int, concealment: str) -> Clip:
    if concealment == "silence" or past.size < round(FRAME_S * rate):
        return np.zeros(length, np.float32)
    period = round(FRAME_S * rate) if concealment == "frame" else _pitch_period(past, rate)
    time_s = np.arange(length) / rate
    fading = np.clip(1 - (time_s - HOLD_S) / FALL_S, 0, 1).astype(np.float32)
    return np.resize(past[-period:], length) * fading


def _pitch_period(past: Clip, rate: int) -> int:
    """Return the lag in samples at which the last 15 ms are most like what went before them."""
    shortest, longest = (round(seconds * rate) for seconds in PITCH_S)
    recent = past[-longest:].astype(np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(past[:-shortest].astype(np.float64), longest)
    # The last window ends the shortest lag before the end; the first begins the longest lag before ``recent``.
    likeness = (windows @ recent) / np.sqrt(np.square(windows).sum(1) * np.square(recent).sum() + 1e-20)
    return shortest + len(windows) - 1 - int(np.argmax(likeness))


def _join(heard: Clip, end: int, filled: Clip, rate: int) -> None:
    """Fade from the concealment, played backwards from where it ended, to the frame that arrived."""
    length = min(round(SMOOTH_S * rate), heard.size - end, filled.size)
    if length > 0:
        fade = np.linspace(0, 1, length, endpoint=False, dtype=np.float32)
        heard[end : end + length] = heard[end : end + length] * fade + filled[-length:][::-1] * (1 - fade)
