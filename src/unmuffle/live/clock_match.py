"""Two sound devices never agree on what a second is: the output is resampled by a ratio that follows its clock.

Output samples are laid by a windowed sinc over the input at any place (J. O. Smith, "Digital audio resampling",
1984-2020: a table of the filter at many phases, and a straight line between them). The ratio is steered by how much is
still waiting whenever the output device takes a block: proportional control, at most 2,000 millionths off, of which
nobody hears anything.
"""

from __future__ import annotations

from math import ceil

import numpy as np

from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.sinc_resampler import sinc_weights

PHASES = 512
ZERO_CROSSINGS = 16
STEERED_PER_S = 0.1
"""Share of what is too much or too little that is made good in a second."""
MOST_OFF = 2e-3


class VariableResampler:
    """Changes the rate of a stream by a ratio that may change at any time.

    Parameters
    ----------
    input_rate, output_rate : int
        In Hz.
    channels : int
        Rows of every block.
    """

    def __init__(self, input_rate: int, output_rate: int, channels: int) -> None:
        self._nominal = input_rate / output_rate
        self.off = 0.0
        self.reach = ceil(ZERO_CROSSINGS * max(1.0, self._nominal))
        self._weights = sinc_weights(np.arange(PHASES + 1) / PHASES, self.reach, min(1.0, 1.0 / self._nominal))
        self._past: FloatArray = np.zeros((channels, self.reach - 1), np.float32)
        # Place of the next output sample behind the first sample of the past.
        self._place = float(self.reach - 1)

    def process(self, block: FloatArray) -> FloatArray:
        """Take a block [channels, n] and return what is complete with it [channels, m]."""
        self._past = np.concatenate((self._past, block), axis=1)
        step = self._nominal * (1.0 + self.off)
        # A sample at ``place`` needs ``reach`` samples from the next whole place on.
        room = self._past.shape[1] - self.reach - self._place
        count = max(0, ceil(room / step))
        if count == 0:
            return self._past[:, :0].copy()
        places = self._place + step * np.arange(count)
        whole = np.floor(places).astype(np.int64)
        windows = np.lib.stride_tricks.sliding_window_view(self._past, 2 * self.reach, axis=1)
        out = np.einsum("cnt,nt->cn", windows[:, whole - self.reach + 1], self._weights_at(places - whole))
        self._place += step * count
        done = max(0, int(self._place) - self.reach + 1)
        self._past = self._past[:, done:].copy()
        self._place -= done
        return out.astype(np.float32, copy=False)

    def _weights_at(self, fractions: FloatArray) -> FloatArray:
        phases = fractions * PHASES
        lower = np.minimum(phases.astype(np.int64), PHASES - 1)
        between = (phases - lower).astype(np.float32)[:, None]
        return self._weights[lower] + between * (self._weights[lower + 1] - self._weights[lower])


class ClockMatch:
    """Brings a stream to the clock of the output device.

    Parameters
    ----------
    input_rate, output_rate : int
        In Hz, as both devices call them.
    channels : int
        Rows of every block.
    wanted : int
        Samples that should wait for the output device at the least, when it takes a block.
    """

    def __init__(self, input_rate: int, output_rate: int, channels: int, wanted: int) -> None:
        self.resampler = VariableResampler(input_rate, output_rate, channels)
        self.input_rate = input_rate
        self.wanted = wanted
        self._output_rate = output_rate

    def process(self, block: FloatArray) -> FloatArray:
        """Take a block [channels, n] and return what is complete with it, at the rate of the output."""
        return self.resampler.process(block)

    def steer(self, fewest: int) -> None:
        """Take in how many samples were waiting at the least during the last second."""
        too_many_s = (fewest - self.wanted) / self._output_rate
        # A step that is longer uses the input up faster, so that fewer wait.
        self.resampler.off = float(np.clip(STEERED_PER_S * too_many_s, -MOST_OFF, MOST_OFF))
