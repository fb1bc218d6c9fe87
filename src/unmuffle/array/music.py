"""Multiple signal classification (MUSIC), for wide bands and normalised in each.

R. O. Schmidt, "Multiple emitter location and signal parameter estimation", IEEE Trans. AP 34(3), 1986; summed over
frequencies, and with each frequency divided by its own maximum (NormMUSIC): D. Salvati, C. Drioli and G. L. Foresti,
"Incoherent frequency fusion for broadband steered response power algorithms in noisy environments", IEEE Signal
Processing Letters 21(5), 2014. Here each peak is as blunt as FLOOR says: the phases of a room are never those of plane
waves alone, and what a sharper peak of a single bin points to is chance.
"""

from __future__ import annotations

import numpy as np

from unmuffle.array.geometry import ArrayGeometry
from unmuffle.array.scan import ScanGrid
from unmuffle.array.steering import far_field_delays_s
from unmuffle.signal.arrays import ComplexArray, FloatArray

FLOOR = 0.4
"""Part of a steering vector outside the subspace of the sources below which directions are taken for alike. In
simulated rooms 0.05 did nearly as well for 4 and 8 microphones, and 2 microphones needed 0.4."""
_AT_ONCE = 512


def music_spectrum(
    covariance: ComplexArray,
    geometry: ArrayGeometry,
    grid: ScanGrid,
    frequencies_hz: FloatArray,
    speed: float,
    *,
    weights: FloatArray | None = None,
    sources: int = 1,
    normalized: bool = True,
) -> FloatArray:
    """Return the pseudo-spectrum of each direction, float64 [directions], a mean over the bins.

    Parameters
    ----------
    covariance : complex [bins, mics, mics]
        Of the bins that are used.
    geometry : ArrayGeometry
    grid : ScanGrid
    frequencies_hz : float [bins]
    speed : float
        Of sound in m/s.
    weights : float [bins], optional
        Of the bins in the mean; all alike without.
    sources : int, default 1
        Fewer than there are microphones.
    normalized : bool, default True
        Give all frequencies the same weight; otherwise those of high contrast decide.
    """
    _, vectors = np.linalg.eigh(covariance)
    blind = vectors[..., : geometry.microphones - sources].conj().swapaxes(-1, -2)
    pseudo = np.empty((len(frequencies_hz), len(grid.vectors)))
    for start in range(0, len(grid.vectors), _AT_ONCE):
        delays = far_field_delays_s(geometry, grid.vectors[start : start + _AT_ONCE], speed)
        steering = np.exp(-2j * np.pi * frequencies_hz[:, None, None] * delays.T)
        seen = blind @ steering
        leak = (seen.real**2 + seen.imag**2).sum(axis=1)
        pseudo[:, start : start + len(delays)] = 1.0 / (leak / geometry.microphones + FLOOR)
    if normalized:
        pseudo /= pseudo.max(axis=1, keepdims=True)
    return np.asarray(np.average(pseudo, axis=0, weights=weights))
