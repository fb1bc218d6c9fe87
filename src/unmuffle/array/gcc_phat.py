"""Delays between microphones by generalised cross-correlation with the phase transform (GCC-PHAT).

C. H. Knapp and G. C. Carter, "The generalized correlation method for estimation of time delay", IEEE Trans. ASSP 24(4),
1976: of the cross-spectrum only phases are kept, so that the peak of the correlation is sharp in rooms.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.array.geometry import ArrayGeometry
from unmuffle.array.scan import ScanGrid
from unmuffle.array.steering import far_field_delays_s
from unmuffle.errors import InvalidAudioError
from unmuffle.signal.arrays import ComplexArray, FloatArray, as_channels, check_finite

INTERPOLATION = 16


def gcc_phat(first: npt.ArrayLike, second: npt.ArrayLike, sample_rate: int, *, max_delay_s: float = 0.01) -> float:
    """Return by how many seconds the second signal is later than the first.

    Parameters
    ----------
    first, second : array_like [samples]
        Of one length; float (full scale 1.0), int16 or int32.
    sample_rate : int
        In Hz.
    max_delay_s : float, default 0.01
        No longer delays are looked for.

    Raises
    ------
    InvalidAudioError
        If the signals have different lengths, or hold NaN or infinity.
    """
    one, other = as_channels(first), as_channels(second)
    check_finite("the first signal", one)
    check_finite("the second signal", other)
    if one.shape != other.shape or len(one) != 1:
        raise InvalidAudioError(f"the signals have shapes {one.shape} and {other.shape}; give two of one length")
    size = 2 * one.shape[1]
    before, after = np.fft.rfft(np.concatenate((one, other)).astype(np.float64), size)
    cross = phase_of(after * before.conj())
    correlation = np.fft.irfft(cross, size * INTERPOLATION)
    most = max(1, min(round(max_delay_s * sample_rate * INTERPOLATION), correlation.size // 2 - 1))
    around = np.concatenate((correlation[-most:], correlation[: most + 1]))
    return float(int(around.argmax()) - most) / (INTERPOLATION * sample_rate)


def phase_of(spectra: ComplexArray) -> ComplexArray:
    """Return spectra divided by their magnitude; 0 stays 0."""
    size = np.abs(spectra)
    return spectra / np.where(size > 0.0, size, 1.0)


def pair_delays_s(phases: ComplexArray, window: int, sample_rate: int, longest_s: float) -> FloatArray:
    """Return by how much each microphone is later than each other, float64 [mics, mics].

    Parameters
    ----------
    phases : complex [bins, mics, mics]
        Phase transforms of the covariances.
    window : int
        Samples that the bins are of.
    sample_rate : int
    longest_s : float
        No longer delays are looked for.
    """
    correlation = np.fft.irfft(phases, window * INTERPOLATION, axis=0)
    most = max(1, int(np.ceil(longest_s * sample_rate * INTERPOLATION)))
    around = np.concatenate((correlation[-most:], correlation[: most + 1]))
    return (around.argmax(axis=0) - most) / (INTERPOLATION * sample_rate)


def delay_fit(delays_s: FloatArray, geometry: ArrayGeometry, grid: ScanGrid, speed: float) -> FloatArray:
    """Return how well the delays of all pairs fit each direction, float64 [directions], highest for the best.

    The fit is minus the squared error of the delays, in parts of the time that sound takes along the aperture.

    Parameters
    ----------
    delays_s : float [mics, mics]
        See ``pair_delays_s``.
    geometry : ArrayGeometry
    grid : ScanGrid
    speed : float
        Of sound in m/s.
    """
    expected = far_field_delays_s(geometry, grid.vectors, speed)
    error = (expected[:, :, None] - expected[:, None, :]) - delays_s
    return -np.square(error * speed / geometry.aperture_m).mean(axis=(1, 2))
