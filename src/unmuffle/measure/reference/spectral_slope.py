"""Weighted spectral slope: how differently two spectra rise and fall, above all near their peaks.

D. H. Klatt, "Prediction of perceived phonetic distance from critical-band spectra", ICASSP 1982, as ``wss`` in P. C.
Loizou's composite.m.

Differences between the slopes, in dB from one critical band to the next, of the two spectra, weighted more near the
loudest band and near peaks. Frames of 30 ms, a quarter apart, under a Hann window; the 5 % highest are left out, and so
is, as in composite.m, the last frame. Kept from composite.m too: the division by the sum of the weights, which is not
Klatt's, and a peak to the right that is taken one band before the top. Left out: Klatt's term for overall level.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.measure.reference.critical_bands import critical_bands, fft_size
from unmuffle.measure.reference.paired_frames import Floats, loizou_framing, mean_of_lowest, over_frames
from unmuffle.measure.reference.pairs import checked_pair, mean_over_channels, resampled, speech_rate
from unmuffle.signal.arrays import FloatArray

_LEAST_S = 0.0375
_NEAR_LOUDEST_DB = 20.0
_NEAR_PEAK_DB = 1.0
_LEAST_ENERGY = 1e-10


def weighted_spectral_slope(reference: npt.ArrayLike, estimate: npt.ArrayLike, sample_rate: int) -> float:
    """Return the weighted spectral slope distance, the mean over channels.

    Parameters
    ----------
    reference, estimate : array_like
        Speech, ``[samples]`` or ``[channels, samples]``, of equal shape; at least 37.5 ms.
    sample_rate : int
        In Hz, 8,000 to 192,000; resampled to 16 kHz, below that to 8 kHz.

    Returns
    -------
    float
        From 0 (equal slopes) up; speech in noise has 20 to 100.

    Raises
    ------
    InvalidAudioError
        If the two cannot be compared: other shapes, too few samples, NaN or infinity, a silent reference.
    """
    rate = speech_rate(sample_rate)
    framing = loizou_framing(rate)
    size = fft_size(framing.window.size)
    bands = critical_bands(rate, size).T

    def levels_db(frames: Floats) -> Floats:
        spectrum = np.fft.rfft(frames, size, axis=1)[:, : size // 2]
        return 10.0 * np.log10(np.maximum((spectrum.real**2 + spectrum.imag**2) @ bands, _LEAST_ENERGY))

    def measure(clean: FloatArray, other: FloatArray) -> float:
        distances = over_frames(lambda one, two: _distances(levels_db(one), levels_db(two)), clean, other, framing)
        return mean_of_lowest(distances[:-1])

    pair = checked_pair(reference, estimate, sample_rate, "weighted spectral slope", _LEAST_S)
    return mean_over_channels(measure, resampled(pair, sample_rate, rate))


def _distances(reference_db: Floats, estimate_db: Floats) -> Floats:
    weights = 0.5 * (_weights(reference_db) + _weights(estimate_db))
    squares = (np.diff(reference_db, axis=1) - np.diff(estimate_db, axis=1)) ** 2
    return (weights * squares).sum(axis=1) / weights.sum(axis=1)


def _weights(level_db: Floats) -> Floats:
    levels = level_db[:, :-1]
    below_loudest = level_db.max(axis=1, keepdims=True) - levels
    below_peak = _peaks(level_db) - levels
    return _NEAR_LOUDEST_DB / (_NEAR_LOUDEST_DB + below_loudest) * _NEAR_PEAK_DB / (_NEAR_PEAK_DB + below_peak)


def _peaks(level_db: Floats) -> Floats:
    """Return the level of the peak up the slope from each band but the last, [frames, bands - 1]."""
    levels = level_db[:, :-1]
    rising = np.diff(level_db, axis=1) > 0.0
    to_the_right, to_the_left = levels.copy(), levels.copy()
    last = levels.shape[1] - 1
    for band in range(last - 1, -1, -1):
        goes_on = rising[:, band + 1]
        to_the_right[goes_on, band] = to_the_right[goes_on, band + 1]
    for band in range(1, last + 1):
        goes_on = ~rising[:, band - 1]
        to_the_left[goes_on, band] = to_the_left[goes_on, band - 1]
    return np.where(rising, to_the_right, to_the_left)
