"""Steered response power with the phase transform (SRP-PHAT).

J. H. DiBiase, "A high-accuracy, low-latency technique for talker localization in reverberant environments using
microphone arrays", PhD thesis, Brown University, 2000, section 6.3: the power of delay and sum over phases alone.
"""

from __future__ import annotations

import numpy as np

from unmuffle.array.geometry import ArrayGeometry
from unmuffle.array.scan import ScanGrid
from unmuffle.array.steering import far_field_delays_s
from unmuffle.signal.arrays import ComplexArray, FloatArray

_AT_ONCE = 512


def srp_phat_spectrum(
    phases: ComplexArray, geometry: ArrayGeometry, grid: ScanGrid, frequencies_hz: FloatArray, speed: float
) -> FloatArray:
    """Return the steered response power of each direction, float64 [directions], at most 1.

    Parameters
    ----------
    phases : complex [bins, mics, mics]
        Mean phase transforms of the bins that are used.
    geometry : ArrayGeometry
    grid : ScanGrid
    frequencies_hz : float [bins]
    speed : float
        Of sound in m/s.
    """
    first, second = np.triu_indices(geometry.microphones, 1)
    pairs = phases[:, first, second]
    total = np.maximum(np.abs(phases[:, first, first]).sum(), 1e-12)
    power = np.empty(len(grid.vectors))
    for start in range(0, len(power), _AT_ONCE):
        delays = far_field_delays_s(geometry, grid.vectors[start : start + _AT_ONCE], speed)
        late = delays[:, second] - delays[:, first]
        turns = np.exp(-2j * np.pi * frequencies_hz[:, None, None] * late)
        power[start : start + len(late)] = np.einsum("kdp,kp->d", turns, pairs).real
    return power / total
