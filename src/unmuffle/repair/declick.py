"""Declicking: clicks and lost samples are found and filled in from both sides; all else comes back bit for bit.

Detection is in ``click_detection``, interpolation in ``ar_model``; this file runs both along a stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import isfinite

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidParameterError
from unmuffle.process.processor import NonFinite, Processor
from unmuffle.process.whole import process_whole
from unmuffle.repair.ar_model import interpolate
from unmuffle.repair.click_detection import detection_order, errors_of_hops, find_clicks_in, find_gaps_in
from unmuffle.signal.arrays import AnyArray, BoolArray, FloatArray, as_channels, check_finite
from unmuffle.signal.fifo import SampleFifo
from unmuffle.signal.grid import check_sample_rate, grid_for

_SEEN = 3
_BEHIND = _SEEN + 1
_KEPT = 2 * _SEEN
_SIDE = 2
_HOPS_AT_ONCE = 64
_RATIO = 6.0
_LONG_S = 0.002
_LONG_ORDER_S = 0.012
_MOST_ORDER = 512

Run = tuple[int, int]


class Declicker(Processor):
    """Removes clicks and fills lost samples in a stream.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    sensitivity : float, default 1.0
        Clicks are taken for such if they stand out of the pulses of the voice by 6 / ``sensitivity``, 0.25 to 4. Above
        1 weaker clicks are found, and now and then a consonant.
    fill_gaps : bool, default True
        Also fill runs of 1 to 20 ms that are exactly zero or hold the last sample.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Attributes
    ----------
    repaired_clicks : int [channels]
        Clicks and gaps filled since the start or the last reset of all channels.
    repaired_samples : int [channels]
        The samples in them.

    Raises
    ------
    InvalidParameterError
        If an option is out of its range.

    Examples
    --------
    >>> hiss = 0.01 * np.random.default_rng(0).standard_normal((1, 16_000))
    >>> hiss[0, 8000:8003] = 0.7, -0.5, 0.3
    >>> declicker = Declicker(16_000)
    >>> clear = declicker.process(hiss)
    >>> bool(np.abs(clear).max() < 0.1), int(declicker.repaired_clicks[0])
    (True, 1)
    """

    def __init__(
        self,
        sample_rate: int,
        channels: int = 1,
        *,
        sensitivity: float = 1.0,
        fill_gaps: bool = True,
        nonfinite: NonFinite = "raise",
    ) -> None:
        super().__init__(sample_rate, channels, nonfinite=nonfinite)
        self.sensitivity = _check_sensitivity(sensitivity)
        self.fill_gaps = fill_gaps
        self.repaired_clicks: npt.NDArray[np.int64] = np.zeros(self.channels, np.int64)
        self.repaired_samples: npt.NDArray[np.int64] = np.zeros(self.channels, np.int64)
        self._hop = grid_for(self.sample_rate).hop
        self._waiting = SampleFifo(self.channels)
        kept = (self.channels, _KEPT * self._hop)
        self._heard: FloatArray = np.zeros(kept, np.float32)
        self._repaired: FloatArray = np.zeros(kept, np.float32)
        self._lost: BoolArray = np.zeros(kept, np.bool_)
        self._received = 0
        self._returned = 0

    @property
    def latency(self) -> int:
        """Five hops of 16 ms less one sample: just under 80 ms."""
        return (_BEHIND + 1) * self._hop - 1

    @property
    def block_period(self) -> int:
        """The hop, about 16 ms."""
        return self._hop

    def reset(self, mask: npt.ArrayLike | None = None) -> None:
        """See ``Processor.reset``; a reset of all channels clears the counters too."""
        super().reset(mask)
        if mask is None:
            self.repaired_clicks[:] = 0
            self.repaired_samples[:] = 0

    def _process(self, block: FloatArray) -> FloatArray:
        self._waiting.push(block)
        self._received += block.shape[1]
        hops = len(self._waiting) // self._hop
        out: FloatArray = np.empty((self.channels, hops * self._hop), np.float32)
        for start in range(0, hops, _HOPS_AT_ONCE):
            count = min(_HOPS_AT_ONCE, hops - start) * self._hop
            at = start * self._hop
            out[:, at : at + count] = self._advance(self._waiting.pop(count))
        early = max(0, min(out.shape[1], _BEHIND * self._hop - self._returned))
        self._returned += out.shape[1]
        return out[:, early:]

    def _flush(self) -> FloatArray:
        owed = self._received - max(0, self._returned - _BEHIND * self._hop)
        padding = -self._received % self._hop + _BEHIND * self._hop
        return self._process(np.zeros((self.channels, padding), np.float32))[:, :owed]

    def _reset(self, mask: BoolArray | None) -> None:
        chosen = np.ones(self.channels, np.bool_) if mask is None else mask
        for state in (self._heard, self._repaired, self._lost):
            state[chosen] = 0
        if mask is None:
            self._waiting.clear()
            self._received = self._returned = 0
        else:
            self._waiting.silence(chosen)

    def _advance(self, block: FloatArray) -> FloatArray:
        """Take whole hops in and return as many, which are those ``_BEHIND`` before them."""
        new = block.shape[1]
        heard = np.concatenate([self._heard, block], axis=1)
        repaired = np.concatenate([self._repaired, block], axis=1)
        lost = np.concatenate([self._lost, np.zeros((self.channels, new), np.bool_)], axis=1)
        for channel in range(self.channels):
            found = _find(heard[channel], self._hop, self.sensitivity, self.fill_gaps)
            for index, runs in enumerate(found):
                decided = (_SEEN + index) * self._hop
                for start, stop in runs:
                    lost[channel, decided + start : decided + stop] = True
                self._repair(channel, repaired[channel], lost[channel], decided - self._hop)
        kept = slice(new, None)
        self._heard, self._repaired, self._lost = heard[:, kept], repaired[:, kept], lost[:, kept]
        done = (_KEPT - _BEHIND) * self._hop
        return repaired[:, done : done + new]

    def _repair(self, channel: int, row: FloatArray, lost: BoolArray, first: int) -> None:
        """Fill the runs that begin in the hop from ``first`` on."""
        hop = self._hop
        if not lost[first : first + hop].any():
            return
        for start, stop in _runs(lost[first - 1 : first + 3 * hop], first - 1):
            if first <= start < first + hop:
                row[start:stop] = self._filled(row, lost, start, stop)
                lost[start:stop] = False
                self.repaired_clicks[channel] += 1
                self.repaired_samples[channel] += stop - start

    def _filled(self, row: FloatArray, lost: BoolArray, start: int, stop: int) -> FloatArray:
        side = _SIDE * self._hop
        span = slice(start - side, stop + side)
        length = _LONG_ORDER_S if stop - start > _LONG_S * self.sample_rate else _LONG_S
        order = min(_MOST_ORDER, max(16, round(length * self.sample_rate)))
        unknown = lost[span].copy()
        unknown[:order] = unknown[-order:] = False
        filled = interpolate(row[span].astype(np.float64), unknown, order)[side : side + stop - start]
        # A click whose end was missed must not drive the model beyond what is around.
        reach = max(stop - start, round(_LONG_S * self.sample_rate))
        near = slice(start - reach, stop + reach)
        most = np.abs(row[near][~unknown[side - reach : side + stop - start + reach]]).max()
        return np.clip(filled, -most, most).astype(np.float32)


def declick(audio: npt.ArrayLike, sample_rate: int, *, sensitivity: float = 1.0, fill_gaps: bool = True) -> AnyArray:
    """Return audio with its clicks and short gaps filled in; see ``Declicker`` for the options.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``; float (full scale 1.0), int16 or int32.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    sensitivity, fill_gaps
        See ``Declicker``.

    Returns
    -------
    ndarray
        Of the shape and type of ``audio``.

    Raises
    ------
    InvalidAudioError
        If the array is empty, has a wrong shape or type, or holds NaN or infinity.
    InvalidParameterError
        If an option is out of its range.
    """
    return process_whole(audio, partial(Declicker, sample_rate, sensitivity=sensitivity, fill_gaps=fill_gaps))


@dataclass(frozen=True)
class Click:
    """A click, or a stretch of lost samples.

    Attributes
    ----------
    channel : int
        Where it is.
    start, stop : int
        First sample, and the first after it.
    """

    channel: int
    start: int
    stop: int


def find_clicks(
    audio: npt.ArrayLike, sample_rate: int, *, sensitivity: float = 1.0, fill_gaps: bool = True
) -> list[Click]:
    """Return the clicks and gaps, in order of channel and time, that ``declick`` would fill.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``; float (full scale 1.0), int16 or int32.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    sensitivity, fill_gaps
        See ``Declicker``.

    Raises
    ------
    InvalidAudioError
        If the array has a wrong shape or type, or holds NaN or infinity.
    InvalidParameterError
        If the rate or the sensitivity is out of its range.
    """
    hop = grid_for(check_sample_rate(sample_rate)).hop
    sensitivity = _check_sensitivity(sensitivity)
    samples = as_channels(audio)
    check_finite("audio", samples)
    clicks = []
    for channel, row in enumerate(samples):
        lost = np.zeros(row.size, np.bool_)
        for first in range(0, row.size, _HOPS_AT_ONCE * hop):
            span = np.arange(first - _SEEN * hop, first + (_HOPS_AT_ONCE + _SEEN) * hop)
            part = np.where((span >= 0) & (span < row.size), row[np.clip(span, 0, row.size - 1)], np.float32(0.0))
            for index, runs in enumerate(_find(part, hop, sensitivity, fill_gaps)):
                for start, stop in runs:
                    at = first + index * hop
                    lost[max(0, at + start) : max(0, at + stop)] = True
        clicks += [Click(channel, start, stop) for start, stop in _runs(lost, 0)]
    return clicks


def _find(row: FloatArray, hop: int, sensitivity: float, fill_gaps: bool) -> list[list[Run]]:
    """Return the runs to fill of each hop; ``row`` [(hops + 6) * hop] has three hops more at either end."""
    if not row.any():
        return [[] for _ in range(row.size // hop - 2 * _SEEN)]
    errors = errors_of_hops(row, hop, detection_order(round(hop / 0.016)))
    found = find_clicks_in(errors, hop, _RATIO / sensitivity)
    if fill_gaps:
        found = [clicks + gaps for clicks, gaps in zip(found, find_gaps_in(row, hop), strict=True)]
    return found


def _runs(mask: BoolArray, offset: int) -> Iterator[Run]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])))) + offset
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _check_sensitivity(sensitivity: float) -> float:
    if not (isfinite(sensitivity) and 0.25 <= sensitivity <= 4.0):
        raise InvalidParameterError(f"sensitivity is {sensitivity!r}; it must be from 0.25 to 4")
    return float(sensitivity)
