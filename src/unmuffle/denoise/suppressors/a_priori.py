"""What all suppressors share whose gain follows from the a priori SNR."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from unmuffle.denoise.a_priori import AprioriSnr, DecisionDirected
from unmuffle.denoise.noise import NoiseEstimator, SppMmse
from unmuffle.denoise.suppressors.base import NoiseSuppressor
from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.grid import Grid


class AprioriSuppressor(NoiseSuppressor):
    """A gain of the a priori and the a posteriori SNR, never above 1.

    Parameters
    ----------
    noise : NoiseEstimator, optional
        ``SppMmse`` unless given.
    a_priori : AprioriSnr, optional
        ``DecisionDirected`` unless given.
    """

    def __init__(self, noise: NoiseEstimator | None = None, a_priori: AprioriSnr | None = None) -> None:
        super().__init__(noise or SppMmse())
        self._a_priori = a_priori or DecisionDirected()

    def _prepare(self, grid: Grid, channels: int) -> None:
        self._a_priori.start(grid, channels)
        # Has the gain's tables made now and not in the first frame of a live stream.
        self._gain_of(np.ones((1, 1), np.float32), np.ones((1, 1), np.float32))

    def _reset(self, channels: BoolArray) -> None:
        self._a_priori.reset(channels)

    def _gain(self, power: FloatArray, noise_psd: FloatArray, out: FloatArray) -> None:
        a_priori_snr, a_posteriori_snr = self._a_priori.estimate(power, noise_psd)
        gain = np.minimum(self._gain_of(a_priori_snr, a_posteriori_snr), 1.0)
        self._a_priori.remember(power, gain)
        out[:] = self._weigh(gain, a_priori_snr, a_posteriori_snr)

    @abstractmethod
    def _gain_of(self, a_priori_snr: FloatArray, a_posteriori_snr: FloatArray) -> FloatArray:
        """Return the gain function's value, float32 [channels, bins]."""

    def _weigh(self, gain: FloatArray, a_priori_snr: FloatArray, a_posteriori_snr: FloatArray) -> FloatArray:  # noqa: ARG002
        """Return what is applied, where that is not the gain function's value itself."""
        return gain
