"""Gains of spectral subtraction.

S. F. Boll, "Suppression of acoustic noise in speech using spectral subtraction", IEEE Trans. ASSP 27(2), 1979,
"spectral subtraction estimator" (magnitudes); M. Berouti, R. Schwartz and J. Makhoul, "Enhancement of speech corrupted
by acoustic noise", ICASSP 1979 (powers, oversubtraction factor and spectral floor).
"""

from __future__ import annotations

import numpy as np

from unmuffle.signal.arrays import FloatArray


def magnitude_subtraction_gain(magnitude: FloatArray, noise_magnitude: FloatArray, floor: float = 0.0) -> FloatArray:
    """Boll's gain, half-wave rectified: max(1 - noise / noisy, floor); the floor where the noisy magnitude is 0."""
    ratio = np.divide(noise_magnitude, magnitude, out=np.ones_like(magnitude), where=magnitude > 0.0)
    return np.maximum(1.0 - ratio, floor)


def power_subtraction_gain(
    power: FloatArray, noise_psd: FloatArray, oversubtraction: FloatArray | float = 1.0, floor: float = 0.01
) -> FloatArray:
    """Berouti's gain: sqrt(max(power - alpha noise, beta noise) / power), at most 1.

    Parameters
    ----------
    power, noise_psd : float32 arrays of one shape
        Squared magnitudes.
    oversubtraction : float or array, default 1
        The paper's alpha.
    floor : float, default 0.01
        The paper's beta: what is left, in parts of the noise power.
    """
    left = np.maximum(power - oversubtraction * noise_psd, floor * noise_psd)
    share = np.divide(left, power, out=np.ones_like(power), where=power > left)
    return np.sqrt(share)


def oversubtraction_factor(snr_db: FloatArray, at_0_db: float = 4.0) -> FloatArray:
    """Berouti's alpha: ``at_0_db`` at 0 dB, falling along a line to 1 at 20 dB, constant outside -5 to 20 dB."""
    slope = (at_0_db - 1.0) / 20.0
    return at_0_db - slope * np.clip(snr_db, -5.0, 20.0)
