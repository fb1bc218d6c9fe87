"""Resampling by a ratio of whole numbers with a delay that is chosen, sample by sample.

A windowed sinc is laid over the input at the place of each output sample (J. O. Smith, "Digital audio resampling",
1984-2020, with a Kaiser window). What is complete after so many samples of input is a matter of arithmetic, and
channels can begin anew one by one: what ``Resampler`` around soxr offers neither of. It is for streams of short delay.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import ceil, floor

import numpy as np
import numpy.typing as npt

from unmuffle.signal.arrays import BoolArray, FloatArray

IntArray = npt.NDArray[np.int64]

ZERO_CROSSINGS = 32
KAISER_BETA = 7.0
CUTOFF = 0.93
"""Of the lower of both Nyquist frequencies; flat to 0.86, 70 dB down at 1."""
OUTPUTS_AT_ONCE = 4096


def reach_for(input_rate: int, output_rate: int) -> int:
    """Return how many samples of input an output sample depends on to either side; 0 where the rates are the same."""
    return 0 if input_rate == output_rate else ceil(ZERO_CROSSINGS * max(1.0, input_rate / output_rate))


class SincResampler:
    """Changes the rate of a stream; output sample n stands at the input's time n * input_rate / output_rate - delay.

    Parameters
    ----------
    input_rate, output_rate : int
        In Hz.
    channels : int
        Rows of every block.
    delay : Fraction
        In samples of input.
    """

    def __init__(self, input_rate: int, output_rate: int, channels: int, delay: Fraction) -> None:
        self.step = Fraction(input_rate, output_rate)
        self.delay = delay
        self.reach = reach_for(input_rate, output_rate)
        places = [phase * self.step - delay for phase in range(self.step.denominator)]
        # The first tap of each phase, and its weights.
        self._starts = np.array([floor(place) - max(0, self.reach - 1) for place in places])
        fractions = np.array([float(place - floor(place)) for place in places])
        self._weights = sinc_weights(fractions, self.reach, min(1.0, output_rate / input_rate))
        self._earliest = int(self._starts[0])
        self._past: FloatArray = np.zeros((channels, 0), np.float32)
        self._received, self._next, self._begin = 0, 0, 0
        self.reset(None)

    def complete_after(self, received: int) -> int:
        """Return how many samples are complete after so many of input, both since the start."""
        # Sample n needs floor(n step - delay) + reach, and that must be below ``received``.
        return max(0, ceil((received - self.reach + self.delay) / self.step))

    def process(self, block: FloatArray) -> FloatArray:
        """Take a block [channels, n] and return what is complete with it [channels, m]."""
        self._received += block.shape[1]
        self._past = np.concatenate((self._past, block), axis=1)
        end = self.complete_after(self._received)
        cuts = [*range(self._next, end, OUTPUTS_AT_ONCE), end]
        pieces = [self._run(np.arange(first, stop)) for first, stop in pairwise(cuts)]
        self._next = end
        # What lies before the first tap of the next sample is not needed any more.
        begin = int(self._first_tap(np.array([end]))[0])
        self._past = self._past[:, max(0, begin - self._begin) :].copy()
        self._begin = max(self._begin, begin)
        return np.concatenate(pieces, axis=1) if pieces else np.zeros((len(block), 0), np.float32)

    def reset(self, mask: BoolArray | None) -> None:
        """Forget the past of all channels, or only of those where the mask is true."""
        if mask is not None:
            self._past[mask] = 0.0
            return
        self._received = self._next = 0
        # What lies before the first sample is silence.
        self._begin = min(0, self._earliest)
        self._past = np.zeros((len(self._past), -self._begin), np.float32)

    def _first_tap(self, samples: IntArray) -> IntArray:
        phases = self.step.denominator
        return samples // phases * self.step.numerator + self._starts[samples % phases]

    def _run(self, samples: IntArray) -> FloatArray:
        """Output samples of these numbers."""
        taps = self._weights.shape[1]
        windows = np.lib.stride_tricks.sliding_window_view(self._past, taps, axis=1)
        found = windows[:, self._first_tap(samples) - self._begin]
        weights = self._weights[samples % self.step.denominator]
        return np.einsum("cnt,nt->cn", found, weights).astype(np.float32, copy=False)


def sinc_weights(fractions: FloatArray, reach: int, bandwidth: float) -> FloatArray:
    """Return weights [phases, taps] for output samples that stand so far, 0 to 1, behind the middle tap."""
    if reach == 0:
        return np.ones((len(fractions), 1), np.float32)
    distances = np.arange(1 - reach, 1 + reach) - fractions[:, None]
    inside = np.sqrt(np.clip(1 - (distances / reach) ** 2, 0, None))
    weights = np.sinc(CUTOFF * bandwidth * distances) * np.i0(KAISER_BETA * inside)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
