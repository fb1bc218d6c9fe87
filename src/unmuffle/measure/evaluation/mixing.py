"""Speech and noise put together at a stated ratio: active level of the speech (ITU-T P.56) to RMS of the noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.level.active_level import active_level_db
from unmuffle.signal.arrays import FloatArray, as_channels


def mix_at_snr(speech: npt.ArrayLike, noise: npt.ArrayLike, snr_db: float, sample_rate: int) -> FloatArray:
    """Add noise to speech so that the active level of the speech is ``snr_db`` above the RMS of the noise.

    Parameters
    ----------
    speech, noise : array_like
        ``[samples]`` or ``[channels, samples]``, of equal shape. The speech keeps its level, the noise is scaled, all
        channels alike.
    snr_db : float
        Any finite value.
    sample_rate : int
        Of both, in Hz, 8,000 to 192,000.

    Returns
    -------
    ndarray of float32
        Of their shape; it may exceed full scale.

    Raises
    ------
    InvalidAudioError
        If the shapes differ, or one of the two is silent all through or holds NaN or infinity.
    InvalidParameterError
        If the ratio is not finite or the rate is outside its range.

    Examples
    --------
    >>> speech, noise = np.random.default_rng(0).standard_normal((2, 16_000))
    >>> added = mix_at_snr(speech, noise, 20.0, 16_000) - speech
    >>> round(float(np.std(speech) / np.std(added)))
    10
    """
    voice, other = as_channels(speech), as_channels(noise)
    if voice.shape != other.shape:
        raise InvalidAudioError(
            f"speech and noise must have the same shape, not {list(voice.shape)} and {list(other.shape)}"
        )
    if not np.isfinite(snr_db):
        raise InvalidParameterError(f"snr_db must be a finite number of dB, not {snr_db!r}")
    gain_db = active_level_db(voice, sample_rate) - snr_db - rms_db(other)
    mixed = (voice + other * np.float64(10.0 ** (gain_db / 20.0))).astype(np.float32)
    return mixed if np.ndim(speech) == 2 else mixed[0]


def rms_db(noise: FloatArray) -> float:
    """Return the RMS level in dBFS of noise [channels, samples], or raise ``InvalidAudioError`` for silence."""
    power = float(np.mean(np.square(noise, dtype=np.float64))) if noise.size else 0.0
    if not np.isfinite(power):
        raise InvalidAudioError("the noise holds NaN or infinity, so no gain brings it to a level")
    if power == 0.0:
        raise InvalidAudioError("the noise is silent all through, so no gain brings it to a level")
    return 10.0 * float(np.log10(power))
