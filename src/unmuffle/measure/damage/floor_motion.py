"""Gating and pumping: the noise floor that moves with the speech.

Definitions of ours. The gain from original to enhanced in the cells that hold noise, each divided by the noise expected
there, is a number of dB a frame: constant for an untouched floor and for a constant attenuation. In every pause of at
least 96 ms and the speech 192 ms around it, two things are read off it:

* *gating*: how far the floor falls within 80 ms, where it falls most steeply: it is chopped. What a gate does, and a
  suppressor that mutes pauses. The rise at the next word says less: the word hides it, and pumping rises as fast;
* *pumping*: by how much the floor is higher beside the speech than in the pause (its lower quarter), less the gating:
  the floor swells and falls slowly. What a compressor with a long release does, and a noise estimate that lags.

Both are means over the pauses. A floor that the speech covers in all cells is not seen there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.damage.channels import LEAST_RATIO, per_channel
from unmuffle.measure.damage.pair_spectra import ChannelSpectra, FrameSeries, PairSpectra, speaking
from unmuffle.signal.arrays import FloatArray

_LEAST_PAUSE_S = 0.096
_BESIDE_S = 0.192
_LEAST_SHARE = 0.05
_LEAST_BESIDE = 3
_DEEP = 0.25


@dataclass(frozen=True)
class FloorMotion:
    """How the noise floor moves.

    Attributes
    ----------
    gating_db : float
        How far it is chopped, 0 up.
    pumping_db : float
        How far it swells with the speech and falls slowly after it, 0 up.
    """

    gating_db: float
    pumping_db: float


def gating_db(
    original: npt.ArrayLike, enhanced: npt.ArrayLike, sample_rate: int, *, reference: npt.ArrayLike | None = None
) -> float:
    """Return how far the noise floor is chopped, in dB; see ``floor_motion``."""
    return floor_motion(original, enhanced, sample_rate, reference=reference).gating_db


def pumping_db(
    original: npt.ArrayLike, enhanced: npt.ArrayLike, sample_rate: int, *, reference: npt.ArrayLike | None = None
) -> float:
    """Return how far the noise floor swells with the speech, in dB; see ``floor_motion``."""
    return floor_motion(original, enhanced, sample_rate, reference=reference).pumping_db


def floor_motion(
    original: npt.ArrayLike, enhanced: npt.ArrayLike, sample_rate: int, *, reference: npt.ArrayLike | None = None
) -> FloorMotion:
    """Return gating and pumping, each the mean over channels.

    Parameters
    ----------
    original, enhanced, sample_rate, reference
        As for ``PairSpectra``.

    Raises
    ------
    InvalidAudioError
        As ``PairSpectra``, or if there is no pause beside speech with a noise floor in it.
    """
    return floor_motion_of(PairSpectra(original, enhanced, sample_rate, reference))


def floor_motion_of(spectra: PairSpectra) -> FloorMotion:
    """Return ``floor_motion`` of a pair that is analysed already."""
    gating, pumping = np.mean(per_channel(_motion_db, spectra), axis=0)
    return FloorMotion(float(gating), float(pumping))


def _motion_db(channel: ChannelSpectra) -> tuple[float, float]:
    series, grid = channel.series, channel.grid
    gain_db = _floor_gain_db(series)
    beside = grid.frames(_BESIDE_S)
    found: list[tuple[float, float]] = []
    for start, stop in _pauses(series, grid.frames(_LEAST_PAUSE_S), beside):
        around = gain_db[max(start - beside, 0) : stop + beside]
        near = np.concatenate((gain_db[max(start - beside, 0) : start], gain_db[stop : stop + beside]))
        near, inside = near[np.isfinite(near)], gain_db[start:stop][np.isfinite(gain_db[start:stop])]
        if near.size < _LEAST_BESIDE or inside.size == 0:
            continue
        chopped = _chopped_db(around)
        found.append((chopped, max(float(np.median(near) - np.quantile(inside, _DEEP)) - chopped, 0.0)))
    if not found:
        raise InvalidAudioError("gating and pumping move the noise between words, but no pause with noise is found")
    gating, pumping = np.mean(found, axis=0)
    return float(gating), float(pumping)


def _floor_gain_db(series: FrameSeries) -> FloatArray:
    """Return the gain of the noise floor in each frame in dB, NaN where too little of it is seen."""
    seen = (series.floor_share >= _LEAST_SHARE) & (series.floor_original > 0.0)
    ratio = np.divide(
        series.floor_enhanced, series.floor_original, out=np.full_like(series.floor_original, np.nan), where=seen
    )
    return 10.0 * np.log10(np.maximum(ratio, LEAST_RATIO))


def _pauses(series: FrameSeries, least: int, beside: int) -> Iterator[tuple[int, int]]:
    """Go through the pauses that are long enough and have speech beside them."""
    change = np.diff(np.concatenate(([False], series.pause, [False])).astype(np.int8))
    heard = speaking(series)
    for start, stop in zip(np.flatnonzero(change == 1), np.flatnonzero(change == -1), strict=True):
        near_speech = heard[max(start - beside, 0) : start].any() or heard[stop : stop + beside].any()
        if stop - start >= least and near_speech:
            yield int(start), int(stop)


def _chopped_db(gain_db: FloatArray) -> float:
    """Return the steepest fall from a pair of frames to another, 80 ms from end to end."""
    pairs = 0.5 * (gain_db[1:] + gain_db[:-1])
    steps = pairs[3:] - pairs[:-3]
    steps = steps[np.isfinite(steps)]
    return float(max(-steps.min(), 0.0)) if steps.size else 0.0
