"""Silence: exact digital silence, and spans that are quiet for this recording.

Levels of 20 ms frames (the loudest channel's mean square) are kept as one byte each. A frame is *digital*
silence if every channel is constant in it. It is *quiet* if it is digital silence or lies below a threshold
found from the recording: 6 dB above its floor (10th percentile of the levels) where that is at least 15 dB
below its loud frames (95th), so that pauses full of room noise are found and steady noise is not all called
quiet; and never less than 60 dB below the loud frames. Percentile thresholds of this kind go back to the
energy detectors of L. Rabiner and M. Sambur, "An algorithm for determining the endpoints of isolated
utterances", Bell System Technical Journal 54(2), 1975.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmuffle.level import Meter
from unmuffle.measure.single.framing import Framer
from unmuffle.signal.arrays import BoolArray, FloatArray, as_channels

MOST_SPANS = 10
LEAST_SPAN_S = 0.3

_FRAME_S = 0.020
_FLOOR_SHARE, _LOUD_SHARE = 0.10, 0.95
_ABOVE_FLOOR_DB = 6.0
_BELOW_LOUD_DB = 15.0
_FAR_BELOW_LOUD_DB = 60.0
_LOWEST_DBFS = -120.0
_STEP_DB = 0.5
_DIGITAL = 0


@dataclass(frozen=True)
class Silence:
    """Where and how long a recording is silent.

    Attributes
    ----------
    digital_share : float
        Share of the time (0 to 1) in which every channel is constant.
    quiet_share : float
        Share of the time below the threshold, digital silence included.
    threshold_dbfs : float or None
        Mean-square level of a frame below which it counts as quiet; None if all is digital silence.
    leading_s, trailing_s : float
        Quiet time at the beginning and at the end; both are the whole length if all is quiet.
    spans : tuple of (start_s, end_s)
        The longest quiet spans of at least 0.3 s, at most ten, in order of time.
    """

    digital_share: float
    quiet_share: float
    threshold_dbfs: float | None
    leading_s: float
    trailing_s: float
    spans: tuple[tuple[float, float], ...]


class SilenceMeter(Meter):
    """Finds silence in a stream, all channels taken together.

    Memory grows by one byte for every 20 ms heard (0.2 MB an hour).

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    """

    def __init__(self, sample_rate: int, channels: int = 1) -> None:
        super().__init__(sample_rate, channels)
        self._frame = round(_FRAME_S * self.sample_rate)
        self._framer = Framer(self.channels, self._frame, self._frame)
        self._levels = bytearray()

    def _process(self, block: FloatArray) -> None:
        frames = self._framer.push(block)
        if frames.size:
            self._levels += _coded_levels(frames).tobytes()

    def result(self) -> Silence:
        """Return what was found in all that was heard."""
        levels = np.frombuffer(bytes(self._levels), np.uint8)
        rest = self._framer.rest()
        if rest.size:
            levels = np.append(levels, _coded_levels(rest[:, None]))
        if levels.size == 0:
            return Silence(0.0, 0.0, None, 0.0, 0.0, ())
        threshold = _threshold(levels)
        edges = np.minimum(np.arange(levels.size + 1) * self._frame, self.samples) / self.sample_rate
        length = np.diff(edges)
        digital = levels == _DIGITAL
        quiet = digital if threshold is None else levels < threshold
        spans = _spans(quiet, edges)
        return Silence(
            digital_share=float(length[digital].sum() / self.seconds),
            quiet_share=float(length[quiet].sum() / self.seconds),
            threshold_dbfs=None if threshold is None else _dbfs(threshold),
            leading_s=spans[0][1] if quiet[0] else 0.0,
            trailing_s=self.seconds - spans[-1][0] if quiet[-1] else 0.0,
            spans=_longest(spans),
        )


def detect_silence(audio: npt.ArrayLike, sample_rate: int) -> Silence:
    """Return the silence in ``[samples]`` or ``[channels, samples]``; see ``SilenceMeter``."""
    samples = as_channels(audio)
    meter = SilenceMeter(sample_rate, samples.shape[0])
    meter.process(samples)
    return meter.result()


def _coded_levels(frames: FloatArray) -> npt.NDArray[np.uint8]:
    """Return levels of frames [channels, frames, n]: 0 for digital silence, else 1 up in steps of 0.5 dB."""
    power = np.square(frames, dtype=np.float64).mean(axis=2).max(axis=0)
    level_db = 10.0 * np.log10(np.maximum(power, 1e-30))
    codes = np.clip(np.floor((level_db - _LOWEST_DBFS) / _STEP_DB) + 1.0, 1.0, 255.0)
    # A lone last sample is constant without being silence.
    constant = (frames.max(axis=2) == frames.min(axis=2)).all(axis=0) & (frames.shape[2] > 1)
    return np.where(constant | (power == 0.0), _DIGITAL, codes).astype(np.uint8)


def _dbfs(code: float) -> float:
    return _LOWEST_DBFS + _STEP_DB * (code - 1.0)


def _threshold(levels: npt.NDArray[np.uint8]) -> float | None:
    heard = levels[levels != _DIGITAL]
    if heard.size == 0:
        return None
    floor, loud = (float(np.quantile(heard, share)) for share in (_FLOOR_SHARE, _LOUD_SHARE))
    in_noise = min(floor + _ABOVE_FLOOR_DB / _STEP_DB, loud - _BELOW_LOUD_DB / _STEP_DB)
    return max(in_noise, loud - _FAR_BELOW_LOUD_DB / _STEP_DB, 1.0)


def _spans(quiet: BoolArray, edges: npt.NDArray[np.float64]) -> list[tuple[float, float]]:
    change = np.diff(np.concatenate(([False], quiet, [False])).astype(np.int8))
    return [
        (float(edges[start]), float(edges[stop]))
        for start, stop in zip(np.flatnonzero(change == 1), np.flatnonzero(change == -1), strict=True)
    ]


def _longest(spans: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    long_enough = [span for span in spans if span[1] - span[0] >= LEAST_SPAN_S]
    return tuple(sorted(sorted(long_enough, key=lambda span: span[0] - span[1])[:MOST_SPANS]))
