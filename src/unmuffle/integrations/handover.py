"""From one stream to the next, of another rate or number of channels, without a click."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from unmuffle.signal.arrays import AnyArray, FloatArray, to_float32
from unmuffle.signal.resample import resample

FADE_S = 0.005
WARM_S = 0.5
"""What a stream that takes over has heard before, so that it knows voice and noise."""
REACH = 64
"""Samples by which what came in is drawn on before it is resampled: the resampler takes all beyond for silence."""
HEAD = 128
"""Samples within which what has passed fades out when an enhanced stream takes over."""
MOST_KEPT = 512
"""Samples played last: resampled together with what follows, so that the resampler does not begin at a step."""


class Past:
    """The last half second that came in, of one rate and one number of channels."""

    def __init__(self) -> None:
        self._blocks: deque[FloatArray] = deque()
        self._format = (1, 1)
        self._held = 0

    def clear(self) -> None:
        """Forget it."""
        self._blocks.clear()
        self._held = 0

    def add(self, block: AnyArray, sample_rate: int) -> None:
        """Take a block [channels, n] in; what was of another kind is forgotten."""
        if self._format != (sample_rate, len(block)):
            self.clear()
            self._format = (sample_rate, len(block))
        self._blocks.append(np.array(to_float32(block)))
        self._held += block.shape[1]
        while self._blocks and self._held - self._blocks[0].shape[1] >= WARM_S * sample_rate:
            self._held -= self._blocks.popleft().shape[1]

    def at(self, sample_rate: int, channels: int) -> FloatArray:
        """Return it [channels, n] at a rate in Hz, up to its last sample."""
        if not self._held:
            return np.zeros((channels, 0), np.float32)
        known = np.concatenate(self._blocks, axis=1)
        old_rate, _ = self._format
        if old_rate != sample_rate:
            # Drawn on by its point reflection, in which value and slope go on.
            beyond = 2.0 * known[:, -1:] - known[:, -2 : -2 - REACH : -1]
            wanted = round(known.shape[1] * sample_rate / old_rate)
            known = resample(np.concatenate((known, beyond), axis=1), old_rate, sample_rate)[:, :wanted]
        return fit_channels(known, channels)


@dataclass(frozen=True)
class Joint:
    """How one stream goes over into the next.

    Attributes
    ----------
    lead : float32 [channels, n]
        What is heard before anything of the next one.
    skipped : int
        Samples of the next one that are left out.
    ending : float32 [channels, m]
        What fades out while the next one fades in.
    """

    lead: FloatArray
    skipped: int
    ending: FloatArray

    @classmethod
    def of(cls, end: FloatArray, begins: int, sample_rate: int) -> Joint:
        """Join the end of a stream [channels, n] to the next one.

        Parameters
        ----------
        end : float32 [channels, n]
            What would have been heard.
        begins : int
            Sample of the next stream that is due at once; below 0, so many samples come before its first one.
        sample_rate : int
            In Hz.
        """
        before = max(0, -begins)
        lead = end[:, :before]
        if lead.shape[1] < before:
            lead = np.pad(fade_out(lead, sample_rate), ((0, 0), (0, before - lead.shape[1])))
        ending = end[:, before : before + round(FADE_S * sample_rate)]
        ramp = np.linspace(1.0, 0.0, ending.shape[1], endpoint=False, dtype=np.float32)
        return cls(lead, max(0, begins), ending * ramp)


def last_of(played: FloatArray, block: FloatArray) -> FloatArray:
    """Return the end of what was played [channels, n <= 512] once a block [channels, m] has followed."""
    if block.shape[1] >= MOST_KEPT:
        return block[:, -MOST_KEPT:]
    return np.concatenate((played, block), axis=1)[:, -MOST_KEPT:]


def refit(played: FloatArray, end: FloatArray, old_rate: int, new_rate: int, channels: int) -> FloatArray:
    """Return the end of a stream [channels, n] at another rate and with other channels.

    Parameters
    ----------
    played : float32 [old channels, k]
        What came before it; left out where it has other channels.
    end : float32 [old channels, n]
    old_rate, new_rate : int
        In Hz.
    channels : int
        To have; where their number changes, each has the mean of all.
    """
    fitted = end
    if old_rate != new_rate and end.shape[1]:
        known = played if len(played) == len(end) else end[:, :0]
        whole = resample(np.concatenate((known, end), axis=1), old_rate, new_rate)
        fitted = whole[:, round(known.shape[1] * new_rate / old_rate) :]
    return fit_channels(fitted, channels)


def fit_channels(block: FloatArray, channels: int) -> FloatArray:
    """Return a block [channels, n] with so many channels; where their number changes, each has the mean of all."""
    if len(block) == channels:
        return block
    return np.repeat(block.mean(axis=0, keepdims=True), channels, axis=0)


def fade_out(block: FloatArray, sample_rate: int) -> FloatArray:
    """Return a block [channels, n] that fades out within its last 5 ms."""
    count = min(round(FADE_S * sample_rate), block.shape[1])
    faded = block.copy()
    faded[:, block.shape[1] - count :] *= np.linspace(1.0, 0.0, count, endpoint=False, dtype=np.float32)
    return faded


def head_of(block: FloatArray) -> FloatArray:
    """Return the first samples of a block [channels, n], fading out."""
    head = block[:, :HEAD]
    return head * np.linspace(1.0, 0.0, head.shape[1], endpoint=False, dtype=np.float32)


def fade_in(block: FloatArray, sample_rate: int, begun: float) -> tuple[FloatArray, float]:
    """Return a block [channels, n] of a stream that fades in within 5 ms, and how far, 0 to 1, it then is."""
    shares = begun + np.arange(block.shape[1]) / (FADE_S * sample_rate)
    ended = begun + block.shape[1] / (FADE_S * sample_rate)
    return block * np.minimum(shares, 1.0).astype(np.float32), min(ended, 1.0)
