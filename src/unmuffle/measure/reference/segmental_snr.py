"""Segmental signal-to-noise ratio: the mean of the SNR of short frames.

J. H. L. Hansen and B. L. Pellom, "An effective quality evaluation protocol for speech enhancement algorithms", ICSLP
1998.

The SNR of each frame in dB, held within -10 and 35 dB, averaged over the frames in which the reference sounds. Frames
are 32 ms and follow each other without overlap or window; one with less than -40 dB of the loudest one's energy is
silence. Samples after the last whole frame are left out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.measure.reference.paired_frames import Floats, Framing, energies, over_frames, sounding
from unmuffle.measure.reference.pairs import checked_pair, mean_over_channels
from unmuffle.signal.arrays import FloatArray

LOWEST_DB, HIGHEST_DB = -10.0, 35.0
_FRAME_S = 0.032
_EPS = float(np.finfo(np.float64).eps)


def segmental_snr_db(reference: npt.ArrayLike, estimate: npt.ArrayLike, sample_rate: int) -> float:
    """Return the segmental signal-to-noise ratio in dB, the mean over channels.

    Parameters
    ----------
    reference, estimate : array_like
        ``[samples]`` or ``[channels, samples]``, of equal shape; at least 32 ms.
    sample_rate : int
        In Hz, 8,000 to 192,000; the ratio is taken at this rate.

    Returns
    -------
    float
        -10 to 35.

    Raises
    ------
    InvalidAudioError
        If the two cannot be compared: other shapes, too few samples, NaN or infinity, a silent reference.
    """
    pair = checked_pair(reference, estimate, sample_rate, "segmental SNR", _FRAME_S)
    size = int(_FRAME_S * sample_rate)
    framing = Framing(size, np.ones(size))

    def measure(clean: FloatArray, other: FloatArray) -> float:
        heard = sounding(energies(clean, framing), "segmental SNR")
        return float(over_frames(frame_snr_db, clean, other, framing)[heard].mean())

    return mean_over_channels(measure, pair)


def frame_snr_db(reference: Floats, estimate: Floats) -> Floats:
    """Return the SNR of frames [n, size] in dB, [n], within -10 and 35 dB."""
    difference = reference - estimate
    signal = np.einsum("fn,fn->f", reference, reference)
    noise = np.einsum("fn,fn->f", difference, difference)
    return np.clip(10.0 * np.log10(signal / (noise + _EPS) + _EPS), LOWEST_DB, HIGHEST_DB)
