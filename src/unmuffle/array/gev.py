"""Generalised eigenvalue beamformer (GEV, max-SNR) with blind analytic normalisation (BAN).

E. Warsitz and R. Haeb-Umbach, "Blind acoustic beamforming based on generalized eigenvalue decomposition", IEEE Trans.
ASLP 15(5), 2007: the weights of highest SNR are the principal eigenvector of R_n^-1 R_s, and BAN (eq. 27) scales it
from the noise alone so that the voice is about as it came. Not from the paper: its phase, which is free in each
frequency, is chosen so that the voice is in phase with that of a reference microphone.
"""

from __future__ import annotations

import numpy as np

from unmuffle.signal.arrays import ComplexArray, FloatArray


def principal_pairs(speech: ComplexArray, noise: ComplexArray) -> tuple[FloatArray, ComplexArray]:
    """Return the largest eigenvalue of R_n^-1 R_s and its vector, float64 [bins] and complex128 [bins, microphones].

    Parameters
    ----------
    speech, noise : complex [bins, microphones, microphones]
        Covariances; that of the noise positive definite.
    """
    lower = np.linalg.cholesky(noise)
    half = np.linalg.solve(lower, speech)
    whitened = np.linalg.solve(lower, half.conj().swapaxes(-1, -2))
    values, vectors = np.linalg.eigh(whitened)
    principal = np.linalg.solve(lower.conj().swapaxes(-1, -2), vectors[..., -1:])[..., 0]
    return values[..., -1], principal


def gev_weights(speech: ComplexArray, noise: ComplexArray, reference: int, *, normalized: bool = True) -> ComplexArray:
    """Return the weights of highest SNR.

    Parameters
    ----------
    speech, noise : complex [bins, microphones, microphones]
        Covariances; that of the noise positive definite.
    reference : int
        Microphone whose phase the voice has.
    normalized : bool, default True
        Scale by BAN; otherwise the length of the weights is 1.

    Returns
    -------
    complex128 [bins, microphones]
        For w^H x. Where there is no speech at all they pick out the reference.
    """
    values, weights = principal_pairs(speech, noise)
    weights /= np.sqrt((weights.real**2 + weights.imag**2).sum(axis=-1, keepdims=True))
    # What the voice does at the microphones, up to a factor: 1 at the reference once divided by that.
    toward = np.einsum("kmn,kn->km", noise, weights)
    response = np.einsum("km,km->k", weights.conj(), toward) * toward[:, reference].conj()
    size = np.abs(response)
    weights *= np.where(size > 0.0, response / np.where(size > 0.0, size, 1.0), 1.0)[:, None]
    if normalized:
        weights *= _ban(weights, toward)[:, None]
    weights[values <= 0.0] = np.eye(speech.shape[-1])[reference]
    return weights


def _ban(weights: ComplexArray, noise_times_weights: ComplexArray) -> FloatArray:
    """Scale of blind analytic normalisation, sqrt(w^H R R w / M) / (w^H R w)."""
    squared = (noise_times_weights.real**2 + noise_times_weights.imag**2).sum(axis=-1)
    quadratic = np.einsum("km,km->k", weights.conj(), noise_times_weights)
    return np.sqrt(squared / weights.shape[1]) / np.maximum(np.abs(quadratic), 1e-300)
