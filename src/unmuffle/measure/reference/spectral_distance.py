"""Log-spectral distance: the root mean square, over frequency, of the difference in dB.

A. H. Gray and J. D. Markel, "Distance measures for speech processing", IEEE TASSP 24(5), 1976, the measure d2.

Power spectra of Hann frames of 32 ms every 16 ms at the audio's own rate; the root mean square over the bins of a band,
then the mean over the frames in which the reference sounds (-40 dB of the loudest one's energy). In both spectra,
what is more than 100 dB below the reference's loudest frame is raised to there: a gap is deep, but not infinitely.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.reference.paired_frames import Floats, Framing, energies, over_frames, sounding
from unmuffle.measure.reference.pairs import checked_pair, mean_over_channels
from unmuffle.measure.single.framing import hann
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.grid import grid_for

_NAME = "log-spectral distance"
_LEAST_S = 0.034
"""The longest window of the grid at any rate is a little over 32 ms."""

_FLOOR = 1e-10


def log_spectral_distance_db(
    reference: npt.ArrayLike,
    estimate: npt.ArrayLike,
    sample_rate: int,
    *,
    low_hz: float = 0.0,
    high_hz: float | None = None,
) -> float:
    """Return the log-spectral distance in dB, the mean over channels.

    Parameters
    ----------
    reference, estimate : array_like
        ``[samples]`` or ``[channels, samples]``, of equal shape; at least 34 ms.
    sample_rate : int
        In Hz, 8,000 to 192,000; spectra are taken at this rate.
    low_hz, high_hz : float, optional
        Band that is looked at, borders included; by default all up to half the sample rate.

    Returns
    -------
    float
        From 0 up; a pure gain has its own size in dB.

    Raises
    ------
    InvalidAudioError
        If the two cannot be compared: other shapes, too few samples, NaN or infinity, a silent reference.
    InvalidParameterError
        If there is no bin of the spectrum (one every 31.25 Hz or so) in the band.
    """
    pair = checked_pair(reference, estimate, sample_rate, _NAME, _LEAST_S)
    grid = grid_for(sample_rate)
    framing = Framing(grid.hop, hann(grid.window).astype(np.float64))
    highest = 0.5 * sample_rate if high_hz is None else high_hz
    hz = np.arange(grid.bins) * grid.bin_hz
    bins = np.flatnonzero((hz >= low_hz) & (hz <= highest))
    if bins.size == 0:
        raise InvalidParameterError(
            f"there is nothing from {low_hz:g} to {highest:g} Hz: low_hz must be below high_hz, at least "
            f"{grid.bin_hz:.1f} Hz apart, and within 0 to {sample_rate / 2:g} Hz"
        )
    band = slice(int(bins[0]), int(bins[-1]) + 1)

    def measure(clean: FloatArray, other: FloatArray) -> float:
        energy = energies(clean, framing)
        floor = _FLOOR * float(energy.max())
        heard = sounding(energy, _NAME)

        def distances(one: Floats, two: Floats) -> Floats:
            return np.sqrt(((_levels_db(one, band, floor) - _levels_db(two, band, floor)) ** 2).mean(axis=1))

        return float(over_frames(distances, clean, other, framing)[heard].mean())

    return mean_over_channels(measure, pair)


def _levels_db(frames: Floats, band: slice, floor: float) -> Floats:
    spectrum = np.fft.rfft(frames, axis=1)[:, band]
    return 10.0 * np.log10(np.maximum(spectrum.real**2 + spectrum.imag**2, floor))
