"""Clipped samples: flat tops at the limit of their surroundings, at whatever level that lies.

Exact flats (hard clipping, also after a gain or a change of the number format): a rounded peak leaves n equal samples
only if it falls by less than one quantisation step q within them, so two samples further it has fallen by at most
q ((n + 3) / (n - 1))^2. A clipped top falls by more. It must be the highest of its surroundings, and three equal
samples alone, which noise has by chance, need company at the same level. Tops too sharp to leave three equal samples
are told by their number: six at one value, and five times as many as at any value below (a steady tone repeats all of
its values).

Near flats (hard clipping that was then resampled or coded with loss, strong saturation): the same test with a
tolerance in place of q, on at least three tops, and a pile in the amplitude histogram: an untouched wave thins out
towards its peak. A steady sine has 2.4 times as many samples in the top percent as in the one below, and speech fewer.
The pile is the sign used by M. Laguna and A. Lerch, "An efficient algorithm for clipping detection and declipping
audio", AES Convention 141, 2016; the test of the edges is ours.

A decision about a hop of 12 ms looks at the 48 ms before it and the 24 ms after it. All that is kept is the limit last
found exactly, so that peaks that touch it with one sample or two are known too; what is louder makes it forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.grid import grid_for

HOP_S = 0.012
HOPS_BEFORE = 4
HOPS_AFTER = 2
HOPS_SEEN = HOPS_BEFORE + 1 + HOPS_AFTER

_LONGEST_RUN_S = 0.02
_LEAST_LEVEL = 2.0**-10
_FULLEST = 0.95
"""Of more samples at the limits than this share nothing can be learnt: a square wave is left as it is."""

_SAME_PEAK = 0.99
_NEAR_PEAK = 0.75
_EDGE_MARGIN = 2.0
_FINE_STEPS = 256
_LEAST_PILE = 5.0
_LEAST_TOPS = 3
_LEAST_EQUAL = 6

IntArray = npt.NDArray[np.intp]


def hop_for(sample_rate: int) -> int:
    """Return the samples in about 12 ms, so that four times as many suit an FFT."""
    return round(0.75 * grid_for(sample_rate).hop)


def detect_clipping(row: FloatArray, hop: int, tolerance: float, limits: FloatArray) -> BoolArray:
    """Say which samples of one channel are clipped.

    Parameters
    ----------
    row : float32 [(HOPS_SEEN - 1 + hops) * hop]
        One channel with ``HOPS_BEFORE`` hops of context before and ``HOPS_AFTER`` after those that are asked about.
    hop : int
        Samples in a hop, from ``hop_for``.
    tolerance : float
        How far near flats may lie apart, of their level; 0 looks for exact flats only.
    limits : float32 [2]
        The exact limits of positive and negative samples, both as magnitudes and 0 if unknown; brought up to date.

    Returns
    -------
    bool [hops * hop]
    """
    contexts = np.lib.stride_tricks.sliding_window_view(row, HOPS_SEEN * hop)[::hop]
    found = np.zeros((len(contexts), hop), np.bool_)
    starts = np.arange(0, row.size, hop)
    tops = np.stack([np.maximum.reduceat(row, starts), -np.minimum.reduceat(row, starts)])
    peaks = _over_contexts(tops)
    suspects = _with_exact_flats(row, starts, peaks) | _with_equal_tops(row, hop, tops, peaks)
    if tolerance > 0.0:
        suspects |= _with_piles(contexts, peaks, tolerance)
    touched = tops[:, HOPS_BEFORE : HOPS_BEFORE + len(contexts)]
    for index in range(len(contexts)) if suspects.any() or limits.any() else ():
        limits[peaks[:, index] * _SAME_PEAK > limits] = 0.0
        if suspects[index]:
            found[index] = _decide(contexts[index], peaks[:, index], hop, tolerance, limits)
        for sign in np.flatnonzero((limits > 0.0) & (touched[:, index] >= limits)):
            hop_of_it = contexts[index, HOPS_BEFORE * hop : (HOPS_BEFORE + 1) * hop]
            found[index] |= _touching(hop_of_it if sign == 0 else -hop_of_it, limits[sign])
    return found.ravel()


def _over_contexts(each_hop: FloatArray) -> FloatArray:
    """Return the highest value [..., contexts] of those of each hop [..., hops]."""
    return np.lib.stride_tricks.sliding_window_view(each_hop, HOPS_SEEN, axis=-1).max(axis=-1)


def _with_exact_flats(row: FloatArray, starts: IntArray, peaks: FloatArray) -> BoolArray:
    """Say for each context whether it has three equal samples near its peak."""
    same = row[1:] == row[:-1]
    flat = np.zeros(row.size, np.float32)
    np.multiply(np.abs(row[2:]), same[1:] & same[:-1], out=flat[2:])
    highest = _over_contexts(np.maximum.reduceat(flat, starts))
    # The lower of both peaks: each sign has its own limit.
    return (highest >= _LEAST_LEVEL) & (highest >= _SAME_PEAK * peaks.min(axis=0))


def _with_equal_tops(row: FloatArray, hop: int, tops: FloatArray, peaks: FloatArray) -> BoolArray:
    """Say for each context whether so many samples are equal to its peak that they may be clipped ones."""
    hops = row.reshape(-1, hop)
    counts = np.stack(
        [np.count_nonzero(hops == tops[0, :, None], axis=1), np.count_nonzero(-hops == tops[1, :, None], axis=1)]
    )
    windows = np.lib.stride_tricks.sliding_window_view
    at_peak = windows(tops, HOPS_SEEN, axis=1) == peaks[..., None]
    many = (windows(counts, HOPS_SEEN, axis=1) * at_peak).sum(axis=2) >= _LEAST_EQUAL
    found: BoolArray = (many & (peaks >= _LEAST_LEVEL)).any(axis=0)
    return found


def _with_piles(contexts: FloatArray, peaks: FloatArray, tolerance: float) -> BoolArray:
    piled = np.zeros(len(contexts), np.bool_)
    for index, (context, (top, bottom)) in enumerate(zip(contexts, peaks.T, strict=True)):
        piled[index] = _is_piled(context, top, tolerance) or _is_piled(-context, bottom, tolerance)
    return piled


def _is_piled(side: FloatArray, peak: float, tolerance: float) -> bool:
    if peak < _LEAST_LEVEL:
        return False
    near = side[side >= (1.0 - 2.0 * tolerance) * peak]
    top = np.count_nonzero(near >= (1.0 - tolerance) * peak)
    return bool(top >= 4 * _LEAST_TOPS and top >= _LEAST_PILE * (near.size - top))


def _decide(context: FloatArray, peaks: FloatArray, hop: int, tolerance: float, limits: FloatArray) -> BoolArray:
    """Return the clipped samples of the hop in the middle [hop], and bring the limits up to date."""
    longest = int(_LONGEST_RUN_S / HOP_S * hop)
    clipped = np.zeros(context.size, np.bool_)
    exact = np.zeros(2, np.float32)
    for sign, (side, peak) in enumerate(zip((context, -context), peaks, strict=True)):
        if peak < _LEAST_LEVEL:
            continue
        flat = _exact(side, peak, longest)
        exact[sign] = side[flat].max(initial=0.0)
        clipped |= flat
        if tolerance > 0.0 and _is_piled(side, peak, tolerance):
            clipped |= _near(side, peak, longest, tolerance)
    if np.count_nonzero(clipped) > _FULLEST * np.count_nonzero(context):
        return np.zeros(hop, np.bool_)
    np.copyto(limits, exact, where=exact > 0.0)
    return clipped[HOPS_BEFORE * hop : (HOPS_BEFORE + 1) * hop]


def _touching(side: FloatArray, limit: float) -> BoolArray:
    """Mark runs too short to be told by their flatness at a limit that is known."""
    touching = np.zeros(side.size, np.bool_)
    for start, stop in runs_of(side >= limit):
        touching[start:stop] = stop - start < 3
    return touching


def _exact(side: FloatArray, peak: float, longest: int) -> BoolArray:
    """Mark the samples at the level of any run of equal samples that is too flat for its edges."""
    changes = np.flatnonzero(side[1:] != side[:-1]) + 1
    starts, stops = changes[:-1], changes[1:]
    high = (side[starts] >= _SAME_PEAK * peak) & (stops - starts <= longest)
    starts, stops = starts[high], stops[high]
    lengths, levels = stops - starts, side[starts]
    if lengths.size == 0:
        return np.zeros(side.size, np.bool_)
    values, numbers = np.unique(levels, return_inverse=True)
    company = np.bincount(numbers, lengths)[numbers]
    near, counts = np.unique(side[side >= _NEAR_PEAK * peak], return_counts=True)
    step = float(np.diff(near).min()) if near.size > 1 else 0.0
    coarse = peak < _FINE_STEPS * step
    sharp = (lengths >= 3) & _has_edges(side, starts, stops, np.float64(step))
    clipped = sharp & (company >= (8 if coarse else 4)) & ((lengths > 3) | (company >= 5))
    if not coarse and counts[-1] >= max(_LEAST_EQUAL, _LEAST_PILE * counts[:-1].max(initial=1)):
        clipped |= levels == near[-1]
    limits = np.zeros(values.size, np.bool_)
    limits[numbers[clipped]] = True
    clipped = limits[numbers]
    return _marked(side.size, starts[clipped], stops[clipped])


def _near(side: FloatArray, peak: float, longest: int, tolerance: float) -> BoolArray:
    """Mark the tops that stay within the tolerance of the peak, if there are several too flat for their edges."""
    inside = np.concatenate(([False], side >= (1.0 - tolerance) * peak, [False]))
    starts, stops = np.flatnonzero(inside[1:] & ~inside[:-1]), np.flatnonzero(~inside[1:] & inside[:-1])
    fitting = (stops - starts >= 3) & (stops - starts <= longest)
    starts, stops = starts[fitting], stops[fitting]
    tops = np.count_nonzero(_has_edges(side, starts, stops, np.float64(tolerance * peak)))
    if tops < _LEAST_TOPS or 2 * tops < starts.size:
        return np.zeros(side.size, np.bool_)
    return _marked(side.size, starts, stops)


def _has_edges(side: FloatArray, starts: IntArray, stops: IntArray, step: np.float64) -> BoolArray:
    """Say which runs fall off on both sides by more than a rounded peak as flat could."""
    last = side.size - 1
    level = side[starts]
    before = np.minimum(side[np.maximum(starts - 1, 0)], side[np.maximum(starts - 2, 0)])
    after = np.minimum(side[np.minimum(stops, last)], side[np.minimum(stops + 1, last)])
    lengths = stops - starts
    most = step * (1.0 + _EDGE_MARGIN * ((lengths + 3.0) / (lengths - 0.99)) ** 2)
    return level.astype(np.float64) - np.maximum(before, after) > most


def _marked(size: int, starts: IntArray, stops: IntArray) -> BoolArray:
    edges = np.zeros(size + 1, np.int32)
    np.add.at(edges, starts, 1)
    np.add.at(edges, stops, -1)
    return np.cumsum(edges[:-1]) > 0


def runs_of(mask: BoolArray) -> Iterator[tuple[int, int]]:
    """Yield start and stop of each run of true values of a mask [samples]."""
    padded = np.concatenate(([False], mask, [False]))
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
