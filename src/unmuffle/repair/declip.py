"""Declipping: what clipping cut off is found and rebuilt; all else comes back bit for bit.

Detection is in ``clip_detection``, the sparse rebuilding of a frame in ``clip_rebuilding``; this file runs both along
a stream. Frames of 48 ms overlap by three quarters; only those that hold clipped samples are solved, and of their
result only the clipped samples are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import isfinite

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidParameterError
from unmuffle.process.processor import NonFinite, Processor
from unmuffle.process.whole import process_whole
from unmuffle.repair.clip_detection import (
    HOPS_AFTER,
    HOPS_BEFORE,
    detect_clipping,
    hop_for,
    runs_of,
)
from unmuffle.repair.clip_rebuilding import rebuild
from unmuffle.signal.arrays import AnyArray, BoolArray, FloatArray, as_channels, check_finite
from unmuffle.signal.fifo import SampleFifo
from unmuffle.signal.grid import check_sample_rate
from unmuffle.signal.stft import sqrt_hann

_OVERLAP = 4
_HOPS_BEHIND = HOPS_AFTER + _OVERLAP - 1
_HOPS_KEPT = max(HOPS_BEFORE + HOPS_AFTER, _HOPS_BEHIND)
_HOPS_AT_ONCE = 64
_FRAMES_AT_ONCE = 32
_MOST_TOLERANCE = 0.1
_MOST = float(np.finfo(np.float32).max)


class Declipper(Processor):
    """Rebuilds clipped peaks in a stream.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    tolerance : float, default 0.02
        How far apart the samples of a flat top may lie, of its level, 0 to 0.1. More finds what was resampled or
        coded with loss after it was clipped; 0 rebuilds exact flats only.
    max_rise_db : float, default 20.0
        A clipped sample is raised by no more than this, 0 to 40 dB; at 0 dB nothing is.
    headroom_db : float, default 0.0
        Attenuation of the whole output, 0 to 40 dB. Rebuilt peaks are higher than full scale if the clipped ones were
        at full scale: float samples hold them, integers do not. At 0 dB what was not clipped stays bit for bit.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Attributes
    ----------
    clipped_samples : int [channels]
        Samples rebuilt since the start or the last reset of all channels.
    samples : int
        Samples per channel given back since then.

    Raises
    ------
    InvalidParameterError
        If an option is out of its range.

    Examples
    --------
    >>> voice = np.sin(np.arange(16_000) * 0.05)[None]
    >>> declipper = Declipper(16_000)
    >>> rebuilt = declipper.process(np.clip(voice, -0.7, 0.7))
    >>> bool(rebuilt.max() > 0.9), bool(declipper.clipped_share > 0.4)
    (True, True)
    """

    def __init__(
        self,
        sample_rate: int,
        channels: int = 1,
        *,
        tolerance: float = 0.02,
        max_rise_db: float = 20.0,
        headroom_db: float = 0.0,
        nonfinite: NonFinite = "raise",
    ) -> None:
        super().__init__(sample_rate, channels, nonfinite=nonfinite)
        self.tolerance = _within("tolerance", tolerance, _MOST_TOLERANCE)
        self.max_rise_db = _within("max_rise_db", max_rise_db, 40.0)
        self.headroom_db = _within("headroom_db", headroom_db, 40.0)
        self.samples = 0
        self.clipped_samples: npt.NDArray[np.int64] = np.zeros(self.channels, np.int64)
        self._hop = hop_for(self.sample_rate)
        self._window: FloatArray = sqrt_hann(_OVERLAP * self._hop).astype(np.float64)
        self._waiting = SampleFifo(self.channels)
        self._kept: FloatArray = np.zeros((self.channels, _HOPS_KEPT * self._hop), np.float32)
        self._clipped: BoolArray = np.zeros(self._kept.shape, np.bool_)
        # Sums of the overlapping frames, in step with the samples kept.
        self._rebuilt: FloatArray = np.zeros(self._kept.shape, np.float64)
        self._most_rise = 10.0 ** (self.max_rise_db / 20.0)
        self._limits: FloatArray = np.zeros((self.channels, 2), np.float32)
        self._received = 0
        self._returned = 0

    @property
    def latency(self) -> int:
        """A frame of 48 ms and the 24 ms that a decision looks ahead, less one sample."""
        return (_HOPS_BEHIND + 1) * self._hop - 1

    @property
    def block_period(self) -> int:
        """The hop of 12 ms."""
        return self._hop

    @property
    def clipped_share(self) -> float:
        """Share of the samples of all channels that were rebuilt, 0 to 1."""
        return float(self.clipped_samples.sum()) / max(1, self.samples * self.channels)

    def reset(self, mask: npt.ArrayLike | None = None) -> None:
        """See ``Processor.reset``; a reset of all channels clears the counters too."""
        super().reset(mask)
        if mask is None:
            self.samples = 0
            self.clipped_samples[:] = 0

    def _process(self, block: FloatArray) -> FloatArray:
        self._waiting.push(block)
        self._received += block.shape[1]
        hops = len(self._waiting) // self._hop
        out: FloatArray = np.empty((self.channels, hops * self._hop), np.float32)
        for start in range(0, hops, _HOPS_AT_ONCE):
            count = min(_HOPS_AT_ONCE, hops - start) * self._hop
            at = start * self._hop
            self._advance(self._waiting.pop(count), out[:, at : at + count])
        early = max(0, min(out.shape[1], _HOPS_BEHIND * self._hop - self._returned))
        self._returned += out.shape[1]
        return self._counted(out[:, early:])

    def _flush(self) -> FloatArray:
        owed = self._received - max(0, self._returned - _HOPS_BEHIND * self._hop)
        padding = -self._received % self._hop + _HOPS_BEHIND * self._hop
        before = self.samples
        rest = self._process(np.zeros((self.channels, padding), np.float32))[:, :owed]
        self.samples = before + owed
        return rest

    def _reset(self, mask: BoolArray | None) -> None:
        chosen = np.ones(self.channels, np.bool_) if mask is None else mask
        for state in (self._kept, self._clipped, self._rebuilt, self._limits):
            state[chosen] = 0
        if mask is None:
            self._waiting.clear()
            self._received = self._returned = 0
        else:
            self._waiting.silence(chosen)

    def _counted(self, out: FloatArray) -> FloatArray:
        self.samples += out.shape[1]
        if self.headroom_db:
            out *= np.float32(10.0 ** (-self.headroom_db / 20.0))
        return out

    def _advance(self, block: FloatArray, out: FloatArray) -> None:
        """Take whole hops in and put as many out, which are those ``_HOPS_BEHIND`` before them."""
        new = block.shape[1]
        samples = np.concatenate([self._kept, block], axis=1)
        nothing = np.zeros((self.channels, new))
        clipped = np.concatenate([self._clipped, nothing.astype(np.bool_)], axis=1)
        rebuilt = np.concatenate([self._rebuilt, nothing], axis=1)
        done = slice(self._kept.shape[1] - _HOPS_BEHIND * self._hop, samples.shape[1] - _HOPS_BEHIND * self._hop)
        decided = slice(HOPS_BEFORE * self._hop, samples.shape[1] - HOPS_AFTER * self._hop)
        for channel, row in enumerate(samples):
            clipped[channel, decided] = detect_clipping(row, self._hop, self.tolerance, self._limits[channel])
            self._solve(row[done.start :], clipped[channel, done.start :], rebuilt[channel, done.start :])
            out[channel] = self._with_peaks(row[done], clipped[channel, done], rebuilt[channel, done])
        self.clipped_samples += np.count_nonzero(clipped[:, done], axis=1)
        kept = slice(new, None)
        self._kept, self._clipped, self._rebuilt = samples[:, kept], clipped[:, kept], rebuilt[:, kept]

    def _solve(self, row: FloatArray, clipped: BoolArray, rebuilt: FloatArray) -> None:
        """Add the frames with clipped samples to what is rebuilt; all are rows that begin with the first frame."""
        size, hop = self._window.size, self._hop
        views = [np.lib.stride_tricks.sliding_window_view(each, size)[::hop] for each in (row, clipped)]
        frames, lost = (view[: view.shape[0] - HOPS_AFTER] for view in views)
        active = np.flatnonzero(lost.any(axis=1))
        for start in range(0, active.size, _FRAMES_AT_ONCE):
            chosen = active[start : start + _FRAMES_AT_ONCE]
            given = frames[chosen].astype(np.float64) * self._window
            limits = np.where(lost[chosen], self._most_rise * given, given)
            solved = rebuild(given, np.minimum(given, limits), np.maximum(given, limits), self.sample_rate)
            solved *= self._window / (0.5 * _OVERLAP)
            for index, frame in zip(chosen, solved, strict=True):
                rebuilt[index * hop : index * hop + size] += frame

    def _with_peaks(self, row: FloatArray, clipped: BoolArray, rebuilt: FloatArray) -> FloatArray:
        if not clipped.any():
            return row
        # The sum of frames that each kept the bounds keeps them but for its rounding.
        least = np.abs(row.astype(np.float64))
        peaks = np.copysign(np.clip(np.abs(rebuilt), least, self._most_rise * least), row)
        return np.where(clipped, np.clip(peaks, -_MOST, _MOST), row).astype(np.float32)


def declip(
    audio: npt.ArrayLike,
    sample_rate: int,
    *,
    tolerance: float = 0.02,
    max_rise_db: float = 20.0,
    headroom_db: float = 0.0,
) -> AnyArray:
    """Return audio with its clipped peaks rebuilt; see ``Declipper`` for the options.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``; float (full scale 1.0), int16 or int32. Integers cannot hold peaks
        above full scale: give ``headroom_db``, or float samples.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    tolerance, max_rise_db, headroom_db : float
        See ``Declipper``.

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
    make = partial(Declipper, sample_rate, tolerance=tolerance, max_rise_db=max_rise_db, headroom_db=headroom_db)
    return process_whole(audio, make)


@dataclass(frozen=True)
class ClippedRun:
    """Neighbouring clipped samples.

    Attributes
    ----------
    channel : int
        Where it is.
    start, stop : int
        First sample, and the first after it.
    level : float
        The least magnitude in it, full scale 1.0.
    """

    channel: int
    start: int
    stop: int
    level: float


def find_clipped(audio: npt.ArrayLike, sample_rate: int, *, tolerance: float = 0.02) -> list[ClippedRun]:
    """Return the runs of clipped samples, in order of channel and time, that ``declip`` would rebuild.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``; float (full scale 1.0), int16 or int32.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    tolerance : float, default 0.02
        See ``Declipper``.

    Raises
    ------
    InvalidAudioError
        If the array has a wrong shape or type, or holds NaN or infinity.
    InvalidParameterError
        If the rate or the tolerance is out of its range.
    """
    hop = hop_for(check_sample_rate(sample_rate))
    tolerance = _within("tolerance", tolerance, _MOST_TOLERANCE)
    samples = as_channels(audio)
    check_finite("audio", samples)
    hops = -(-samples.shape[1] // hop)
    found = []
    for channel, row in enumerate(samples):
        padded = np.pad(row, (HOPS_BEFORE * hop, (hops + HOPS_AFTER) * hop - row.size))
        limits = np.zeros(2, np.float32)
        clipped = detect_clipping(padded, hop, tolerance, limits) if hops else np.zeros(0, np.bool_)
        found += [
            ClippedRun(channel, start, stop, float(np.abs(row[start:stop]).min())) for start, stop in runs_of(clipped)
        ]
    return found


def _within(name: str, value: float, most: float) -> float:
    if not (isfinite(value) and 0.0 <= value <= most):
        raise InvalidParameterError(f"{name} is {value!r}; it must be from 0 to {most:g}")
    return float(value)
