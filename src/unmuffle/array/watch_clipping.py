"""Signs of microphones that clip: samples pile up at the limit of what is heard, where a wave thins out.

A steady sine has 2.4 times as many samples in the top percents as in those below, speech fewer; see
``unmuffle.repair.clip_detection``, whose search of single samples would take too long at once in a live stream.
"""

from __future__ import annotations

import numpy as np

from unmuffle.array.faults import MOST_CLIPPED, MicrophoneFault
from unmuffle.array.watch_epoch import Epoch
from unmuffle.array.watch_latch import Latch
from unmuffle.signal.arrays import FloatArray

TOP, BELOW = 0.98, 0.96
PILE = 5.0
LEAST_SAMPLES = 12
LEAST_LEVEL = 2.0**-10
EPOCHS = 32
"""About 4 s: memory of the share, and how long there must be no clipping before it has ended."""


class ClippingSigns:
    """Counts clipped samples over some seconds.

    Parameters
    ----------
    channels : int
    """

    def __init__(self, channels: int) -> None:
        self._share: FloatArray = np.zeros(channels)
        self._latch = Latch(channels, 1, EPOCHS)

    def update(self, epoch: Epoch) -> None:
        """Take the next epoch in."""
        share = clipped_share(epoch.samples)
        before = self._latch.on
        on = self._latch.update(self._share > MOST_CLIPPED, (share == 0.0) & epoch.speaking)
        self._share += (1.0 - np.exp(-1.0 / EPOCHS)) * (share - self._share)
        self._share[before & ~on] = 0.0

    def faults(self) -> list[MicrophoneFault]:
        """Return what is wrong now."""
        return [
            MicrophoneFault(channel, "clipped", f"{100 * self._share[channel]:.1f} % of its samples")
            for channel in np.flatnonzero(self._latch.on).tolist()
        ]

    def reset(self) -> None:
        """Forget the past."""
        self._share[:] = 0.0
        self._latch.reset()


def clipped_share(samples: FloatArray) -> FloatArray:
    """Return the share of samples [channels, n] in piles at the limits, float64 [channels]."""
    total = np.zeros(len(samples))
    for side in (samples, -samples):
        peak = side.max(axis=1, keepdims=True)
        top = np.count_nonzero(side >= TOP * peak, axis=1)
        below = np.count_nonzero(side >= BELOW * peak, axis=1) - top
        piled = (top >= LEAST_SAMPLES) & (top >= PILE * below) & (peak[:, 0] >= LEAST_LEVEL)
        total += np.where(piled, top, 0)
    return total / samples.shape[1]
