"""Power spectral subtraction with oversubtraction and a spectral floor.

M. Berouti, R. Schwartz and J. Makhoul, "Enhancement of speech corrupted by acoustic noise", ICASSP 1979.
"""

from __future__ import annotations

import numpy as np

from unmuffle.denoise.gains import oversubtraction_factor, power_subtraction_gain
from unmuffle.denoise.noise import MinimumStatistics, NoiseEstimator
from unmuffle.denoise.suppressors.base import NoiseSuppressor
from unmuffle.errors import InvalidParameterError
from unmuffle.signal.arrays import FloatArray


class Oversubtraction(NoiseSuppressor):
    """Berouti's subtraction: more than the noise is taken where the frame is noisy, and a floor of noise is left.

    Parameters
    ----------
    noise : NoiseEstimator, optional
        ``MinimumStatistics`` unless given.
    oversubtraction : float, default 4
        The paper's alpha at 0 dB, 3 to 6 in the paper; at least 1. It falls to 1 at 20 dB.
    floor : float, default 0.02
        The paper's beta: what is left, in parts of the noise power, 0.005 to 0.1 in the paper.
    """

    def __init__(self, noise: NoiseEstimator | None = None, oversubtraction: float = 4.0, floor: float = 0.02) -> None:
        super().__init__(noise or MinimumStatistics())
        if not oversubtraction >= 1.0:
            raise InvalidParameterError(f"oversubtraction is {oversubtraction!r}; it must be at least 1")
        if not 0.0 <= floor <= 1.0:
            raise InvalidParameterError(f"the spectral floor is {floor!r}; it must be from 0 to 1")
        self._oversubtraction = oversubtraction
        self._floor = floor

    def _gain(self, power: FloatArray, noise_psd: FloatArray, out: FloatArray) -> None:
        snr_db = power_ratio_db(power.sum(axis=-1, keepdims=True), noise_psd.sum(axis=-1, keepdims=True))
        factor = oversubtraction_factor(snr_db, self._oversubtraction)
        out[:] = power_subtraction_gain(power, noise_psd, factor, self._floor)


def power_ratio_db(power: FloatArray, noise_power: FloatArray) -> FloatArray:
    """Return the noisy-to-noise ratio of powers in dB, at least -100."""
    return 10.0 * np.log10(np.maximum(power / noise_power, 1e-10))
