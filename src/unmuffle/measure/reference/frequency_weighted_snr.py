"""Frequency-weighted segmental SNR: the SNR of magnitude spectra, band by band.

J. M. Tribolet, P. Noll, B. J. McDermott and R. E. Crochiere, "A study of complexity and quality of speech waveform
coders", ICASSP 1978, as in Y. Hu and P. C. Loizou, "Evaluation of objective quality measures for speech enhancement",
IEEE TASLP 16(1), 2008, and Loizou's comp_fwseg.m.

Magnitude spectra of 30 ms Hann frames, a quarter apart, each with unit sum, are gathered into 25 critical bands up to
3.8 kHz; the SNR of each band is weighted by the reference's magnitude to the power of 0.2. Frames are held within -10
and 35 dB. Since each spectrum has unit sum, a level changes nothing. Otherwise than in comp_fwseg.m, frames in which
the reference is silent (-40 dB below its loudest) are left out, and the last frame is kept.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.measure.reference.critical_bands import critical_bands, fft_size
from unmuffle.measure.reference.paired_frames import Floats, energies, loizou_framing, over_frames, sounding
from unmuffle.measure.reference.pairs import checked_pair, mean_over_channels, resampled, speech_rate
from unmuffle.measure.reference.segmental_snr import HIGHEST_DB, LOWEST_DB
from unmuffle.signal.arrays import FloatArray

_NAME = "frequency-weighted segmental SNR"
_LEAST_S = 0.030
_WEIGHT_EXPONENT = 0.2
_EPS = float(np.finfo(np.float64).eps)


def frequency_weighted_segmental_snr_db(reference: npt.ArrayLike, estimate: npt.ArrayLike, sample_rate: int) -> float:
    """Return the frequency-weighted segmental SNR in dB, the mean over channels.

    Parameters
    ----------
    reference, estimate : array_like
        Speech, ``[samples]`` or ``[channels, samples]``, of equal shape; at least 30 ms.
    sample_rate : int
        In Hz, 8,000 to 192,000; resampled to 16 kHz, below that to 8 kHz.

    Returns
    -------
    float
        -10 to 35.

    Raises
    ------
    InvalidAudioError
        If the two cannot be compared: other shapes, too few samples, NaN or infinity, a silent reference.
    """
    rate = speech_rate(sample_rate)
    framing = loizou_framing(rate)
    size = fft_size(framing.window.size)
    bands = critical_bands(rate, size).T

    def levels(frames: Floats) -> Floats:
        magnitude = np.abs(np.fft.rfft(frames, size, axis=1)[:, : size // 2])
        return (magnitude / (magnitude.sum(axis=1, keepdims=True) + _EPS)) @ bands

    def measure(clean: FloatArray, other: FloatArray) -> float:
        heard = sounding(energies(clean, framing), _NAME)
        ratios = over_frames(lambda one, two: _weighted_db(levels(one), levels(two)), clean, other, framing)
        return float(ratios[heard].mean())

    pair = checked_pair(reference, estimate, sample_rate, _NAME, _LEAST_S)
    return mean_over_channels(measure, resampled(pair, sample_rate, rate))


def _weighted_db(reference: Floats, estimate: Floats) -> Floats:
    weights = reference**_WEIGHT_EXPONENT
    error = np.maximum((reference - estimate) ** 2, _EPS)
    ratio_db = 10.0 * np.log10(np.maximum(reference**2, _EPS**2) / error)
    total = np.maximum(weights.sum(axis=1), _EPS)
    return np.clip((weights * ratio_db).sum(axis=1) / total, LOWEST_DB, HIGHEST_DB)
