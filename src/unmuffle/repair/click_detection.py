"""Clicks and lost samples.

Clicks stand out of the prediction error of an autoregressive model (S. J. Godsill and P. J. W. Rayner, "Digital Audio
Restoration", Springer 1998, section 5.3), taken here as the smaller one of the errors of forward and of backward
prediction, which is large only where the click itself is. Speech has pulses too, one every pitch period. So the
threshold is no multiple of the spread of the error but of its pulses: the third highest of the 2 ms cells within 20 ms
before and after. Voiced speech has at least three pulses in there, a plosive is followed by its vowel, and up to two
other clicks do not hide one. A click is at most 4 ms long; a longer burst is sound.

Lost samples are runs of 1 to 20 ms that are exactly zero, or that hold the last sample, amid sound on both sides.
"""

from __future__ import annotations

import numpy as np

from unmuffle.repair.ar_model import autocorrelations, prediction_errors
from unmuffle.signal.arrays import BoolArray, FloatArray

CELLS = 8
"""Cells of 2 ms in a hop of 16 ms."""

_REACH = 10
_NEXT = 2
_RANK = 3
_LEAST_SURROUNDINGS = 1e-6
"""An impulse in digital silence is all that there is, and stays."""

_EDGE_SHARES = (0.05, 0.1, 0.2)
_EDGE_SPREADS = 5.0
_HOLE_S = 3e-4
_LONGEST_CLICK_S = 0.004
_GUARD_S = 1.5e-4

_LEAST_GAP_S = 0.001
LONGEST_GAP_S = 0.02
_BESIDE_S = 0.003
_LEAST_SOUND = 2.0**-9
_DYING = 0.1


def detection_order(sample_rate: int) -> int:
    """Return the order of the model that clicks are told by: 2 ms, 16 to 48."""
    return min(48, max(16, round(0.002 * sample_rate)))


def errors_of_hops(row: FloatArray, hop: int, order: int) -> FloatArray:
    """Return the prediction error of each hop, the smaller one of both directions.

    Parameters
    ----------
    row : float [(hops + 2) * hop]
        One channel with a hop more at either end.
    hop, order : int
        Samples in a hop; order of the model.

    Returns
    -------
    float64 [hops * hop]
    """
    from scipy import fft

    frames = np.lib.stride_tricks.sliding_window_view(row, 3 * hop)[::hop].astype(np.float64)
    filters = prediction_errors(autocorrelations(frames, order))
    around = frames[:, hop - order : 2 * hop + order]
    size = fft.next_fast_len(around.shape[1] + order, real=True)
    sound, response = fft.rfft(around, size, axis=1), fft.rfft(filters, size, axis=1)
    forward = fft.irfft(sound * response, size, axis=1)[:, order : order + hop]
    backward = fft.irfft(sound * response.conj(), size, axis=1)[:, order : order + hop]
    return np.minimum(np.abs(forward), np.abs(backward)).ravel()


def find_clicks_in(errors: FloatArray, hop: int, ratio: float) -> list[list[tuple[int, int]]]:
    """Return the clicks of each hop, as start and stop counted from the hop's first sample.

    Parameters
    ----------
    errors : float64 [(hops + 4) * hop]
        What ``errors_of_hops`` gave, with two hops more at either end.
    hop : int
        Samples in a hop.
    ratio : float
        How far a click stands above the pulses around it.
    """
    hops = errors.size // hop - 4
    starts = (np.arange(hops + 4)[:, None] * hop + np.arange(CELLS) * hop // CELLS).ravel()
    cells = np.maximum.reduceat(errors, starts)
    around = np.lib.stride_tricks.sliding_window_view(cells, 2 * _REACH + 1)
    others = np.delete(around, np.arange(_REACH - _NEXT + 1, _REACH + _NEXT), axis=1)
    pulses = np.partition(others, -_RANK, axis=1)[:, -_RANK]
    centres = np.arange(_REACH, _REACH + pulses.size)
    inside = (centres >= 2 * CELLS) & (centres < (hops + 2) * CELLS)
    loud = (
        inside
        & (pulses > _LEAST_SURROUNDINGS * cells[centres])
        & (cells[centres] > np.maximum(ratio * pulses, _LEAST_SOUND))
    )
    found: list[list[tuple[int, int]]] = [[] for _ in range(hops)]
    for cell in centres[loud]:
        run = _extent(errors, int(starts[cell]), int(starts[cell + 1]), hop)
        if run is not None:
            place = cell // CELLS
            found[place - 2].append((run[0] - place * hop, run[1] - place * hop))
    return found


def _extent(errors: FloatArray, start: int, stop: int, hop: int) -> tuple[int, int] | None:
    """Return where the click whose peak is in a cell begins and ends, or None if it is too long for one."""
    longest, hole, guard = (round(seconds * hop / 0.016) for seconds in (_LONGEST_CLICK_S, _HOLE_S, _GUARD_S))
    peak = start + int(np.argmax(errors[start:stop]))
    around = errors[peak - longest : peak + longest + 1]
    spread = _EDGE_SPREADS * float(np.median(around))
    for share in _EDGE_SHARES:
        first, last = _group(around >= max(spread, share * float(errors[peak])), longest, hole)
        if last - first < longest:
            return peak - longest + first - guard, peak - longest + last + 1 + guard
    return None


def _group(above: BoolArray, place: int, hole: int) -> tuple[int, int]:
    """Return the first and the last true place that is reached from a place without crossing a longer hole."""
    places = np.union1d(np.flatnonzero(above), [place])
    ends = np.flatnonzero(np.diff(places) > hole)
    at = int(np.searchsorted(places, place))
    cut = int(np.searchsorted(ends, at))
    first = ends[cut - 1] + 1 if cut else 0
    last = ends[cut] if cut < ends.size else places.size - 1
    return int(places[first]), int(places[last])


def find_gaps_in(row: FloatArray, hop: int) -> list[list[tuple[int, int]]]:
    """Return the lost stretches that begin in each hop, as start and stop counted from the hop's first sample.

    ``row`` float [(hops + 6) * hop] has three hops more at either end.
    """
    hops = row.size // hop - 6
    found: list[list[tuple[int, int]]] = [[] for _ in range(hops)]
    changes = np.flatnonzero(row[1:] != row[:-1]) + 1
    lengths = np.diff(changes)
    shortest, longest = (seconds * hop / 0.016 for seconds in (_LEAST_GAP_S, LONGEST_GAP_S))
    fitting = (lengths >= 0.99 * shortest) & (lengths <= 1.01 * longest + 1) & (changes[:-1] >= 3 * hop)
    fitting &= changes[:-1] < (hops + 3) * hop
    for start, stop in zip(changes[:-1][fitting], changes[1:][fitting], strict=True):
        # The first of a held run is the last that was received.
        first = int(start) + int(row[start] != 0.0)
        if _is_lost(row, first, int(stop), round(_BESIDE_S * hop / 0.016)):
            place = int(start) // hop
            found[place - 3].append((first - place * hop, int(stop) - place * hop))
    return found


def _is_lost(row: FloatArray, start: int, stop: int, beside: int) -> bool:
    value = row[start]
    before, after = row[start - 1 - beside : start - 1], row[stop : stop + beside]
    for side in (before[::-1], after):
        if np.abs(side).mean() < _LEAST_SOUND or np.abs(np.diff(side)).mean() < 0.5 * _LEAST_SOUND:
            return False
        # Sound that dies away into silence, or swells out of it, is whole.
        if value == 0.0 and np.abs(side[: beside // 3]).mean() < _DYING * np.abs(side).mean():
            return False
    top = float(np.sign(value) * value)
    highest = float(max((np.sign(value) * before).max(), (np.sign(value) * after).max()))
    # A flat that nothing around exceeds was clipped, not held.
    return value == 0.0 or highest > top
