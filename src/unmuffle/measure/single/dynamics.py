"""Peak, mean power and their ratio, the crest factor.

Taken of the samples as they are: a DC offset adds to the mean power and lowers the crest factor. Several channels
count as one signal, with the highest peak of any and the mean power of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log10

import numpy as np
import numpy.typing as npt

from unmuffle.level import Meter
from unmuffle.measure.single.checks import checked_recording
from unmuffle.signal.arrays import FloatArray


@dataclass(frozen=True)
class Dynamics:
    """How far the loudest sample stands above the mean.

    Attributes
    ----------
    peak_dbfs, rms_dbfs : float
        Largest sample magnitude and root mean square in dB of full scale 1.0 (a full-scale sine has an RMS of -3.0);
        -inf for silence and for no samples.
    crest_factor_db : float or None
        The difference: 0 dB for a square wave, 3.0 for a sine, 12 to 20 for speech; None for silence.
    """

    peak_dbfs: float
    rms_dbfs: float
    crest_factor_db: float | None


class DynamicsMeter(Meter):
    """Peak, RMS and crest factor of a stream, all channels taken together.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    """

    def __init__(self, sample_rate: int, channels: int = 1) -> None:
        super().__init__(sample_rate, channels)
        self._energy = 0.0
        self._peak = 0.0

    def _process(self, block: FloatArray) -> None:
        self._energy += float(np.square(block, dtype=np.float64).sum())
        self._peak = max(self._peak, float(block.max()), -float(block.min()))

    def result(self) -> Dynamics:
        """Return the figures of all that was heard."""
        if self._peak == 0.0:
            return Dynamics(-inf, -inf, None)
        peak_dbfs = 20.0 * log10(self._peak)
        rms_dbfs = 10.0 * log10(self._energy / (self.samples * self.channels))
        return Dynamics(peak_dbfs, rms_dbfs, peak_dbfs - rms_dbfs)


def crest_factor_db(audio: npt.ArrayLike, sample_rate: int) -> float:
    """Return peak over RMS in dB of audio ``[samples]`` or ``[channels, samples]``.

    Raises
    ------
    InvalidAudioError
        If there is no sample, all is silent, or a sample is NaN or infinite.
    InvalidParameterError
        If the rate is not 8,000 to 192,000 Hz.
    """
    samples = checked_recording(audio, sample_rate, "the crest factor", 0.0)
    meter = DynamicsMeter(sample_rate, samples.shape[0])
    meter.process(samples)
    found = meter.result()
    return found.peak_dbfs - found.rms_dbfs
