"""Signs of microphones of inverted polarity, from what the array hears alike at low frequencies: see ``faults``."""

from __future__ import annotations

import numpy as np

from unmuffle.array.covariance import weighted_covariance
from unmuffle.array.faults import INVERTED_DETAIL, MicrophoneFault, inverted_of, low_bins
from unmuffle.array.watch_epoch import Epoch
from unmuffle.array.watch_latch import Latch
from unmuffle.signal.arrays import BoolArray, ComplexArray
from unmuffle.signal.grid import Grid

MEMORY_EPOCHS = 8.0
EPOCHS = 6


class PolaritySigns:
    """Follows the covariance at low frequencies over about a second.

    Parameters
    ----------
    grid : Grid
    channels : int
    """

    def __init__(self, grid: Grid, channels: int) -> None:
        self._low = low_bins(grid)
        self._total: ComplexArray = np.zeros((int(self._low.sum()), channels, channels), np.complex128)
        self._latch = Latch(channels, EPOCHS, EPOCHS)

    def update(self, epoch: Epoch, far: BoolArray) -> None:
        """Take the next epoch in; of microphones that are far in time, bool [channels], nothing is said."""
        chosen = epoch.spectra[:, :, self._low]
        self._total *= np.exp(-1.0 / MEMORY_EPOCHS)
        self._total += weighted_covariance(chosen, np.ones((len(chosen), chosen.shape[2])))
        places = np.flatnonzero(epoch.working & ~far)
        if len(places) < 2 or not epoch.speaking:
            return
        wrong = inverted_of(self._total[:, places[:, None], places])
        if wrong is None:
            return
        bad, good = np.zeros((2, len(epoch.working)), np.bool_)
        bad[places], good[places] = wrong, ~wrong
        self._latch.update(bad, good)

    def faults(self) -> list[MicrophoneFault]:
        """Return what is wrong now."""
        return [
            MicrophoneFault(channel, "inverted", INVERTED_DETAIL) for channel in np.flatnonzero(self._latch.on).tolist()
        ]

    def reset(self) -> None:
        """Forget the past."""
        self._total[:] = 0.0
        self._latch.reset()
