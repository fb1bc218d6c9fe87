"""The decision-directed a priori SNR.

Y. Ephraim and D. Malah, "Speech enhancement using a minimum mean-square error short-time spectral amplitude
estimator", IEEE Trans. ASSP 32(6), 1984, equation 51; the floor follows O. Cappe, IEEE Trans. SAP 2(2), 1994.
"""

from __future__ import annotations

import numpy as np

from unmuffle.denoise.a_priori.base import HIGHEST_SNR, AprioriSnr
from unmuffle.errors import InvalidParameterError
from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.grid import Grid


class DecisionDirected(AprioriSnr):
    """A priori SNR of a frame from the voice found in the last one and from the frame itself.

    Parameters
    ----------
    weight : float, default 0.92
        Share of the last frame's estimate, 0 <= weight < 1; more is smoother and slower. The literature's 0.98 is
        for a hop of 8 ms or less.
    floor_db : float, default -20
        Lowest a priori SNR in dB; it sets how deep pauses are pulled down.

    Raises
    ------
    InvalidParameterError
        If the weight is out of range.
    """

    def __init__(self, weight: float = 0.92, floor_db: float = -20.0) -> None:
        if not 0.0 <= weight < 1.0:
            raise InvalidParameterError(f"the decision-directed weight is {weight!r}; it must be from 0 to below 1")
        self.weight = weight
        self.floor = 10.0 ** (floor_db / 10.0)

    def start(self, grid: Grid, channels: int) -> None:
        """Make the state; see ``AprioriSnr``."""
        self._voice_power: FloatArray = np.zeros((channels, grid.bins), np.float32)

    @property
    def state(self) -> tuple[FloatArray, ...]:
        """All that is kept from frame to frame, with the channels first."""
        return (self._voice_power,)

    def reset(self, channels: BoolArray) -> None:
        """Forget the past; see ``AprioriSnr``."""
        self._voice_power[channels] = 0.0

    def estimate(self, power: FloatArray, noise_psd: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return both SNRs; see ``AprioriSnr``."""
        a_posteriori_snr = np.minimum(power / noise_psd, HIGHEST_SNR)
        a_priori_snr = self._voice_power / noise_psd
        a_priori_snr *= self.weight
        fresh = a_posteriori_snr - 1.0
        np.maximum(fresh, 0.0, out=fresh)
        fresh *= 1.0 - self.weight
        a_priori_snr += fresh
        return np.clip(a_priori_snr, self.floor, HIGHEST_SNR, out=a_priori_snr), a_posteriori_snr

    def remember(self, power: FloatArray, gain: FloatArray) -> None:
        """Keep the voice power that the gain has left of the frame."""
        np.multiply(gain, gain, out=self._voice_power)
        self._voice_power *= power
