"""Speech-distortion weighted multichannel Wiener filter (SDW-MWF) with a covariance of speech of rank one.

S. Doclo and M. Moonen, "GSVD-based optimal filtering for single and multimicrophone speech enhancement", IEEE Trans.
SP 50(9), 2002; A. Spriet, M. Moonen and J. Wouters, "Spatially pre-processed speech distortion weighted multi-channel
Wiener filtering for noise reduction", Signal Processing 84(12), 2004; rank one by generalised eigenvalues after R.
Serizel, M. Moonen, B. Van Dijk and J. Wouters, "Low-rank approximation based multichannel Wiener filter algorithms for
noise reduction with application in cochlear implants", IEEE/ACM Trans. ASLP 22(4), 2014.
"""

from __future__ import annotations

import numpy as np

from unmuffle.array.gev import principal_pairs
from unmuffle.signal.arrays import ComplexArray


def mwf_weights(speech: ComplexArray, noise: ComplexArray, reference: int, *, trade_off: float = 1.0) -> ComplexArray:
    """Return the weights of least error, in which noise counts ``trade_off`` times as much as what the voice loses.

    Parameters
    ----------
    speech, noise : complex [bins, microphones, microphones]
        Covariances; that of the noise positive definite.
    reference : int
        Microphone whose voice is wanted.
    trade_off : float, default 1.0
        The factor mu: 0 is MVDR, 1 the Wiener filter, more takes out more noise.

    Returns
    -------
    complex128 [bins, microphones]
        For w^H x. With speech of rank one they are those of MVDR times the Wiener gain of its output.
    """
    snr, principal = principal_pairs(speech, noise)
    # R_n w is where the voice comes from; w is scaled so that w^H R_n w = 1.
    toward = np.einsum("kmn,kn->km", noise, principal)
    power = np.maximum(snr, 0.0)
    return (principal * toward[:, reference, None].conj()) * (power / np.maximum(trade_off + power, 1e-12))[:, None]
