"""The active level of speech: ITU-T P.56 (2011), method B.

It leaves the pauses out: a ratio to it means the same for a hurried talker and for a slow one. Left out of P.56: the
filter before the meter.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.signal.arrays import FloatArray, as_channels, check_finite
from unmuffle.signal.grid import check_sample_rate

SMOOTHING_S = 0.03
HANGOVER_S = 0.2
MARGIN_DB = 15.9

_STEP_DB = 0.05
_RANGE_DB = 80.0


def active_level_db(speech: npt.ArrayLike, sample_rate: int) -> float:
    """Return the RMS level in dBFS of the parts of speech in which somebody speaks.

    Parameters
    ----------
    speech : array_like
        ``[samples]`` or ``[channels, samples]``. The channels are one recording: their power is averaged, and they
        are active at the same time.
    sample_rate : int
        In Hz, 8,000 to 192,000.

    Raises
    ------
    InvalidAudioError
        If there is no sample, a sample is NaN or infinite, or the speech is silent all through.
    InvalidParameterError
        If the rate is outside its range.

    Examples
    --------
    A burst of four seconds in sixteen of silence; the hangover counts as active too:

    >>> burst = 0.1 * np.random.default_rng(0).standard_normal(4 * 16_000)
    >>> speech = np.concatenate((np.zeros(4 * 16_000), burst, np.zeros(8 * 16_000)))
    >>> round(active_level_db(speech, 16_000), 1)
    -20.3
    """
    rate = check_sample_rate(sample_rate)
    samples = as_channels(speech).astype(np.float64)
    check_finite("the speech", samples)
    power = np.square(samples).mean(axis=0)
    if not power.any():
        raise InvalidAudioError("the speech is silent all through, so it has no active level")

    held = _held_envelope(np.sqrt(power), rate)
    loudest_db = 20.0 * np.log10(held.max())
    thresholds_db = np.arange(loudest_db - _RANGE_DB, loudest_db - _STEP_DB, _STEP_DB)
    below = np.searchsorted(np.sort(held), 10.0 ** (thresholds_db / 20.0))
    levels_db = 10.0 * np.log10(power.mean() / (1.0 - below / held.size))
    # The active level is the one that lies the margin above the threshold that it is measured with. A click among
    # zeros stays above it at all thresholds, and is active at the highest.
    within = np.flatnonzero(levels_db - thresholds_db <= MARGIN_DB)
    return float(levels_db[within[0] if within.size else -1])


def _held_envelope(magnitude: FloatArray, rate: int) -> FloatArray:
    """Return the smoothed envelope, each sample held for the hangover."""
    from scipy.ndimage import maximum_filter1d
    from scipy.signal import lfilter

    keep = np.exp(-1.0 / (rate * SMOOTHING_S))
    envelope = magnitude
    for _ in range(2):
        envelope = lfilter([1.0 - keep], [1.0, -keep], envelope)
    # Speech counts as active until the envelope has stayed under the threshold for the whole hangover.
    hangover = round(HANGOVER_S * rate)
    held: FloatArray = maximum_filter1d(envelope, hangover + 1, origin=hangover // 2)
    return held
