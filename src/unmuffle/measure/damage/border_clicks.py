"""Clicks that were not there before, and whether they sit on a regular grid, as they do at the borders of blocks.

A definition of ours, in the tradition of detectors of impulses in a differenced signal (S. V. Vaseghi, "Advanced
Digital Signal Processing and Noise Reduction", Wiley 2008, chapter 13). A jump makes a lone peak in the third
difference; voices make peaks that ring on, noise makes one beside the other. A sample is a click where the third
difference is more than four times all there is from 0.75 to 4.75 ms to either side of it, and stands out twice as much
as anything within 1 ms did in the original or, where it is given, in the clean reference; in silence, it has to be more
than -50 dB of the mean level. Jumps that a louder sound covers are not found, and hardly heard. A good enhancer of very
noisy speech uncovers pulses of the voice that may look like clicks, some 0.2 a second, unless the reference tells that
they were there. Left out: jumps of the gain while the signal crosses zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmuffle.measure.damage.pair_spectra import PairSpectra
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.moving import moving_maximum

_OVER_AROUND = 4.0
_OVER_ORIGINAL = 2.0
_GAP_S, _AROUND_S, _NEAR_S = 0.00075, 0.004, 0.001
_QUIET = 1e-3
_SAMPLES_AT_ONCE = 1 << 18

_LEAST_ON_GRID = 4
_LEAST_SHARE = 0.8
_SHORTEST_PERIOD_S = 0.0025
_OFF_BY = 3
_MOST_TRIED = 300
_NEIGHBOURS = 8


@dataclass(frozen=True)
class Clicks:
    """Clicks that an enhancer added.

    Attributes
    ----------
    per_second : float
        How many there are, the mean over channels.
    period_s : float or None
        Distance of the grid on which at least 80 % of them, and at least four, sit; None for none.
    times_s : float64 [clicks]
        When, of all channels.
    """

    per_second: float
    period_s: float | None
    times_s: npt.NDArray[np.float64]


def border_clicks(
    original: npt.ArrayLike, enhanced: npt.ArrayLike, sample_rate: int, *, reference: npt.ArrayLike | None = None
) -> Clicks:
    """Return the clicks in the enhanced audio that are neither in the original nor in the reference.

    Parameters
    ----------
    original, enhanced, sample_rate, reference
        As for ``PairSpectra``.

    Raises
    ------
    InvalidAudioError, InvalidParameterError
        As ``PairSpectra``.

    Examples
    --------
    >>> tone = np.sin(np.arange(16_000) * 0.1)
    >>> found = border_clicks(tone, tone + 0.1 * (np.arange(16_000) // 800 % 2), 16_000)
    >>> found.per_second, found.period_s
    (19.0, 0.05)
    """
    return border_clicks_of(PairSpectra(original, enhanced, sample_rate, reference))


def border_clicks_of(spectra: PairSpectra) -> Clicks:
    """Return ``border_clicks`` of a pair that is checked already."""
    rate = spectra.sample_rate
    found = _find_all(spectra)
    clicks = np.unique(np.concatenate(found))
    return Clicks(_per_second(found, spectra), find_period(clicks, rate), clicks / rate)


def clicks_per_second_of(spectra: PairSpectra) -> float:
    """Return how many clicks there are, without looking for a grid."""
    return _per_second(_find_all(spectra), spectra)


def _find_all(spectra: PairSpectra) -> list[npt.NDArray[np.intp]]:
    return [_find(channel.audio, spectra.sample_rate) for channel in spectra.channels]


def _per_second(found: list[npt.NDArray[np.intp]], spectra: PairSpectra) -> float:
    return sum(map(len, found)) / len(found) / spectra.seconds


def find_period(clicks: npt.NDArray[np.intp], sample_rate: int) -> float | None:
    """Return the longest period in seconds of a grid on which most clicks (ascending samples) sit, or None."""
    at = clicks[:_MOST_TRIED]
    if at.size < _LEAST_ON_GRID:
        return None
    steps = np.concatenate([at[by:] - at[:-by] for by in range(1, min(_NEIGHBOURS, at.size - 1) + 1)])
    periods = np.unique(steps[steps >= _SHORTEST_PERIOD_S * sample_rate])[::-1]
    for period in periods:
        turns = np.exp(2j * np.pi * at / period)
        # A few strays do not move the middle of the phases further than the tolerance allows for.
        slot = np.round((at - np.angle(turns.sum()) / (2.0 * np.pi) * period) / period)
        away = at - slot * period
        near = np.abs(away - np.median(away)) <= _OFF_BY
        if near.sum() >= _LEAST_SHARE * at.size and np.unique(slot[near]).size >= _LEAST_ON_GRID:
            return float(period) / sample_rate
    return None


def _find(audio: list[FloatArray], rate: int) -> npt.NDArray[np.intp]:
    """Return the samples of the enhanced audio, the second, at which there are clicks."""
    enhanced, others = audio[1], [audio[0], *audio[2:]]
    near = round(_NEAR_S * rate)
    halo = round((_GAP_S + _AROUND_S) * rate) + 3 * near + 8
    quiet = _QUIET * float(np.sqrt(np.einsum("n,n->", enhanced, enhanced, dtype=np.float64) / enhanced.size))
    found: list[npt.NDArray[np.intp]] = []
    for start in range(0, enhanced.size, _SAMPLES_AT_ONCE):
        first, last = max(0, start - halo), min(enhanced.size, start + _SAMPLES_AT_ONCE + halo)
        rise = _prominence(enhanced[first:last], rate, quiet)
        before = np.max([_prominence(other[first:last], rate, 0.0) for other in others], axis=0)
        before = moving_maximum(before, 2 * near + 1)
        lone = rise == moving_maximum(rise, 4 * near + 1)
        # A jump between two samples is seen in the middle of three differences, the second sample two after the first.
        at = np.flatnonzero(lone & (rise > _OVER_AROUND) & (rise > _OVER_ORIGINAL * before)) + 2 + first
        found.append(at[(at >= start) & (at < start + _SAMPLES_AT_ONCE)])
    return np.concatenate(found)


def _prominence(audio: FloatArray, rate: int, least: float) -> FloatArray:
    """Return by how many times the third difference is above all that is a little to either side of it."""
    steep = np.abs(np.diff(audio, 3))
    gap, span = max(4, round(_GAP_S * rate)), round(_AROUND_S * rate)
    padded = np.pad(steep, gap + span)
    highest = moving_maximum(padded, span)
    # The filter's window is centred; moved by half of it, it ends a gap before, or begins a gap after.
    half = span // 2
    left = highest[span - (span - 1 - half) :][: steep.size]
    right = highest[2 * gap + span + half :][: steep.size]
    return steep / (np.maximum(left, right) + np.float32(least + 1e-12))
