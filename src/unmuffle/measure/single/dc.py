"""DC offset: the mean of each channel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.level import Meter
from unmuffle.signal.arrays import FloatArray, as_channels


class DcMeter(Meter):
    """Means of a stream's channels.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    """

    def __init__(self, sample_rate: int, channels: int = 1) -> None:
        super().__init__(sample_rate, channels)
        self._sums = np.zeros(self.channels)

    def _process(self, block: FloatArray) -> None:
        self._sums += block.sum(axis=1, dtype=np.float64)

    def result(self) -> tuple[float, ...]:
        """Return the mean of each channel in units of full scale; 0 before any sample."""
        return tuple((self._sums / max(self.samples, 1)).tolist())


def dc_offset(audio: npt.ArrayLike, sample_rate: int) -> tuple[float, ...]:
    """Return the mean of each channel of ``[samples]`` or ``[channels, samples]``, full scale being 1."""
    samples = as_channels(audio)
    meter = DcMeter(sample_rate, samples.shape[0])
    meter.process(samples)
    return meter.result()
