"""Covariance of noise from a sample that holds noise alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.array.covariance import weighted_covariance
from unmuffle.errors import InvalidAudioError, ModelError
from unmuffle.signal.arrays import ComplexArray, FloatArray, as_channels, check_finite
from unmuffle.signal.grid import grid_for
from unmuffle.signal.stft import StftStream

SHORTEST_S = 0.25
SURE = 0.8
MUCH_SPEECH, MOST_SPEECH = 0.2, 0.5
"""Share of the frames that are surely speech from which on it is warned of, and from which on it is no noise."""

_PIECE = 1 << 16


def noise_covariance(
    noise: npt.ArrayLike, sample_rate: int, microphones: int, *, hops_a_window: int = 2
) -> ComplexArray:
    """Return the mean covariance of a sample of noise.

    Parameters
    ----------
    noise : array_like [microphones, samples]
        Float (full scale 1.0), int16 or int32; at least 0.25 s. Or, complex, what this function returned for it.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    microphones : int
        That the array has.
    hops_a_window : int, default 2
        See ``grid_for``.

    Returns
    -------
    complex128 [bins, microphones, microphones]
        Of the bins of ``unmuffle.signal.grid.grid_for(sample_rate, hops_a_window)``.

    Raises
    ------
    InvalidAudioError
        If the noise has another number of channels, is too short, silent or not finite, or holds speech.
    """
    if np.iscomplexobj(noise):
        return _known(np.asarray(noise), (grid_for(sample_rate, hops_a_window).bins, microphones, microphones))
    samples = as_channels(noise)
    check_finite("the noise", samples)
    if len(samples) != microphones:
        raise InvalidAudioError(f"the noise has {len(samples)} channels; it must have {microphones}, as the array")
    seconds = samples.shape[1] / sample_rate
    if seconds < SHORTEST_S:
        raise InvalidAudioError(f"the noise is {seconds:.2f} s long; it must be at least {SHORTEST_S} s, better 2 s")
    if not samples.any():
        raise InvalidAudioError("the noise is digital silence: give a part in which the noise is heard")
    _refuse_speech(samples, sample_rate)
    grid = grid_for(sample_rate, hops_a_window)
    stft = StftStream(grid, microphones)
    total: ComplexArray = np.zeros((grid.bins, microphones, microphones), np.complex128)
    frames = 0
    for start in range(0, samples.shape[1], _PIECE):
        for spectra in stft.analyze(samples[:, start : start + _PIECE]):
            total += weighted_covariance(spectra, np.ones((len(spectra), grid.bins)))
            frames += len(spectra)
    return total / frames


def _known(covariance: ComplexArray, shape: tuple[int, int, int]) -> ComplexArray:
    if covariance.shape != shape:
        raise InvalidAudioError(
            f"the noise is complex, of shape {list(covariance.shape)}: give samples [microphones, samples], or a "
            f"covariance {list(shape)}"
        )
    return covariance


def speech_warning(noise: FloatArray, sample_rate: int) -> str | None:
    """Return what to tell of speech in a sample of noise [microphones, samples] that is not refused for it, or None."""
    share = _speech_share(noise, sample_rate)
    if share < MUCH_SPEECH:
        return None
    return (
        f"the noise may hold speech in {100 * share:.0f} % of its frames, which is taken out of the voice as well: a "
        "part without the voice is better"
    )


def _refuse_speech(samples: FloatArray, sample_rate: int) -> None:
    share = _speech_share(samples, sample_rate)
    if share > MOST_SPEECH:
        raise InvalidAudioError(
            f"the noise holds speech in {100 * share:.0f} % of its frames, which would be taken out of the voice as "
            "well: choose a part without the voice, or a mask- method, which needs none"
        )


def _speech_share(samples: FloatArray, sample_rate: int) -> float:
    """Return in how many of the frames the network is sure to hear a voice; without a network 0: trust the caller."""
    from unmuffle.array.masks import NetworkMasks

    grid = grid_for(sample_rate)
    try:
        network = NetworkMasks(grid, 1)
    except ModelError:
        return 0.0
    loudest = samples[np.square(samples, dtype=np.float64).sum(axis=1).argmax()][None]
    heard = []
    stft = StftStream(grid, 1)
    for spectra in stft.analyze(loudest):
        network.masks(spectra)
        heard.append(network.presence > SURE)
    return float(np.concatenate(heard).mean())
