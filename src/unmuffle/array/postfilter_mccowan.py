"""McCowan's post-filter: Zelinski's, for noise whose coherence between the microphones is known.

I. A. McCowan and H. Bourlard, "Microphone array post-filter based on noise field coherence", IEEE Trans. SAP 11(6),
2003, with the coherence of noise from all sides (``covariance.diffuse_covariance``), turned by the delays that put the
voice in step. Coherences are bounded below 1, as there: at low frequencies, where noise from all sides is as alike as
the voice, microphones whose gains differ would otherwise make noise of all they hear.
"""

from __future__ import annotations

import numpy as np

from unmuffle.array.postfilter import FLOOR_DB, SMOOTHING_S, PostFilter
from unmuffle.errors import InvalidParameterError
from unmuffle.signal.arrays import ComplexArray, FloatArray
from unmuffle.signal.grid import Grid

MOST_COHERENCE = 0.98


class McCowanFilter(PostFilter):
    """Post-filter for noise of known coherence, as that from all sides.

    Parameters
    ----------
    grid : Grid
        Of the frames.
    steering : complex [bins, microphones]
        What the microphones receive of the voice.
    coherence : complex [bins, microphones, microphones]
        Of the noise.
    max_coherence : float, default 0.98
        0 to 0.999: what is more alike is taken for so much alike. 0 makes it Zelinski's where coherences are positive.
    smoothing_s : float, default 0.06
        Time constant of the powers in seconds, 0.005 to 10.
    floor_db : float, default -15
        The least gain, -60 to 0 dB.

    Raises
    ------
    InvalidParameterError
        If a parameter is out of its range.
    """

    def __init__(
        self,
        grid: Grid,
        steering: ComplexArray,
        coherence: ComplexArray,
        *,
        max_coherence: float = MOST_COHERENCE,
        smoothing_s: float = SMOOTHING_S,
        floor_db: float = FLOOR_DB,
    ) -> None:
        if not 0.0 <= max_coherence <= 0.999:
            raise InvalidParameterError(f"max_coherence is {max_coherence!r}; it must be 0 to 0.999, for instance 0.98")
        in_step = coherence / (steering[:, :, None] * steering[:, None, :].conj())
        weights = voice_weights(np.minimum(in_step.real, max_coherence))
        super().__init__(grid, steering, weights, smoothing_s=smoothing_s, floor_db=floor_db)


def voice_weights(coherence: FloatArray) -> FloatArray:
    """Return the weights of auto- and cross-powers whose sum is the power of the voice.

    Each pair estimates it as (Re p_ij - g_ij (p_ii + p_jj) / 2) / (1 - g_ij); of all pairs the mean is taken.

    Parameters
    ----------
    coherence : float [bins, microphones, microphones]
        Of the noise, real parts, below 1 off the diagonal.

    Returns
    -------
    float64 [bins, microphones, microphones]
        Symmetric.
    """
    microphones = coherence.shape[-1]
    apart = 1.0 - np.eye(microphones)
    scale = apart / ((1.0 - coherence) * apart + np.eye(microphones)) / (microphones * (microphones - 1))
    own = (coherence * scale).sum(axis=-1)
    return scale - own[..., None] * np.eye(microphones)
