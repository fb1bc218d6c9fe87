"""Steady tones in a long-term spectrum: mains hum, whistles of lines, screens and supplies.

Two averages over time are compared: the mean power and the mean level in dB. In a bin that a steady tone fills both are
the same, in one of noise the mean level lies 2.5 dB lower, and where a voice comes and goes 10 dB and more. A tone is a
peak of the mean level that stands out of the running median of its surroundings and passes that comparison; its
frequency comes from the two highest bins (T. Grandke, "Interpolation algorithms for discrete Fourier transforms of
weighted signals", IEEE Trans. Instrum. Meas. 32(2), 1983, the case of the Hann window).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmuffle.measure.spectra.power import NOISE_BANDWIDTH_BINS, to_db
from unmuffle.signal.arrays import FloatArray

MOST_TONES = 20

_AROUND_HZ = 60.0
_PROMINENT_DB = 10.0
_CHANCE_DB = 12.0
"""Added over the root of the number of segments: averages of few stray."""

_STEADY_DB = 5.0
_LEAST_SEGMENTS = 3
_LEAST_DBFS = -120.0
_REACH = 2
"""A tone fills five bins under a Hann window."""


@dataclass(frozen=True)
class Tone:
    """A steady line of a spectrum.

    Attributes
    ----------
    hz : float
        Within a tenth of a bin (0.2 Hz) where nothing is close to it.
    level_dbfs : float
        What the tone alone has; a full-scale sine has -3.0.
    prominence_db : float
        Height of its bin over the surroundings.
    channel : int
        Row of the spectrum it was found in.
    """

    hz: float
    level_dbfs: float
    prominence_db: float
    channel: int = 0


def find_tones(
    power: FloatArray, mean_level_db: npt.NDArray[np.float64], bin_hz: float, segments: int
) -> tuple[Tone, ...]:
    """Return the steady tones of all channels, the strongest first, at most 20 a channel.

    Parameters
    ----------
    power : float64 [channels, bins]
        Mean over time, scaled as in ``power.PowerSpectra``.
    mean_level_db : float64 [channels, bins]
        Mean over time of the levels in dB.
    bin_hz : float
        Distance of the bins.
    segments : int
        How many were averaged; fewer than 3 tell nothing of steadiness, and no tone is reported.
    """
    if segments < _LEAST_SEGMENTS:
        return ()
    prominent_db = _PROMINENT_DB + _CHANCE_DB / segments**0.5
    found: list[Tone] = []
    for channel, (mean, level_db) in enumerate(zip(power, mean_level_db, strict=True)):
        around_db = _running_median(level_db, max(3, round(_AROUND_HZ / bin_hz)))
        rise_db = level_db - around_db
        is_tone = (rise_db >= prominent_db) & (to_db(mean) - level_db <= _STEADY_DB) & (to_db(mean) > _LEAST_DBFS)
        peaks = [peak for peak in map(int, np.flatnonzero(is_tone)) if _is_peak(level_db, peak)]
        tones = [_tone(mean, peak, bin_hz, float(rise_db[peak]), channel) for peak in peaks]
        found += sorted(tones, key=lambda tone: -tone.level_dbfs)[:MOST_TONES]
    return tuple(sorted(found, key=lambda tone: -tone.level_dbfs))


def _running_median(level_db: npt.NDArray[np.float64], reach: int) -> npt.NDArray[np.float64]:
    from scipy.ndimage import median_filter

    median: npt.NDArray[np.float64] = median_filter(level_db, 2 * reach + 1, mode="reflect")
    return median


def _is_peak(level_db: npt.NDArray[np.float64], at: int) -> bool:
    """Tell whether a bin is the highest within reach; at 0 Hz and half the rate nothing is a tone."""
    return (
        _REACH <= at < level_db.size - _REACH
        and at - _REACH + int(level_db[at - _REACH : at + _REACH + 1].argmax()) == at
    )


def _tone(power: FloatArray, peak: int, bin_hz: float, rise_db: float, channel: int) -> Tone:
    side = 1 if power[peak + 1] >= power[peak - 1] else -1
    ratio = float(np.sqrt(power[peak + side] / power[peak]))
    offset = min(max((2.0 * ratio - 1.0) / (ratio + 1.0), 0.0), 0.5)
    near = power[peak - _REACH : peak + _REACH + 1]
    # What the noise beside it would have put into the same five bins.
    noise = near.size * 10.0 ** (-rise_db / 10.0) * power[peak]
    level = max(float(near.sum()) - noise, 0.5 * float(near.sum())) / NOISE_BANDWIDTH_BINS
    return Tone(float(peak + side * offset) * bin_hz, float(to_db(level)), rise_db, channel)
