"""What de-esser and de-plosive share: a shelf whose depth moves, decided by the energies of two bands.

A Butterworth shelf of gain g has the zeros of g s^2 + sqrt(2 g) s + 1 over the poles of s^2 + sqrt(2) s + 1 (and the
low shelf the mirror image), so that it is 1 less (1 - g) times the second-order high-pass less (1 - sqrt g) times the
band-pass between. Both are filtered once, and only their shares move: the shelf never exceeds its depth, and where
nothing is to be treated nothing is subtracted, and the audio comes back bit for bit. The depth is decided in short
frames, held and ramped, so that it is reached when the sound begins that asked for it.
"""

from __future__ import annotations

from abc import abstractmethod
from math import pi, sqrt, tan
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidParameterError
from unmuffle.process.processor import NonFinite, Processor
from unmuffle.repair.stream_filter import StreamFilter
from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.fifo import SampleFifo

VOICE_BAND_HZ = (300.0, 3_000.0)

_AHEAD_FRAMES = 1
_ENERGY_FRAMES = 4
_QUIETEST_ENERGY = 1e-20

Energies = npt.NDArray[np.float64]


class SplitBandProcessor(Processor):
    """Turns one band down by what a subclass decides from the energies of that band and of the voice.

    A subclass gives the frame and the hold, the shelf, the band it listens to, and the reduction.
    """

    loudest: ClassVar[float] = 1e6
    frame_s: ClassVar[float]
    hold_frames: ClassVar[int]
    shelf_hz: ClassVar[float]
    shelf_is_high: ClassVar[bool]

    def __init__(
        self,
        sample_rate: int,
        channels: int,
        *,
        link_channels: bool,
        nonfinite: NonFinite,
    ) -> None:
        super().__init__(sample_rate, channels, nonfinite=nonfinite)
        from scipy.signal import butter

        self.link_channels = link_channels and self.channels > 1
        band = self._band_filter()
        self._idle = band is None
        self._frame = 1 if band is None else round(self.frame_s * self.sample_rate)
        self._band = StreamFilter(np.zeros((0, 6)) if band is None else band, self.channels)
        voice = butter(1, VOICE_BAND_HZ, "bandpass", fs=self.sample_rate, output="sos")
        self._voice = StreamFilter(voice, self.channels)
        self._waiting = SampleFifo(self.channels)
        self._delayed = SampleFifo(self.channels)
        edge, middle = _shelf_parts(0.25 * self.sample_rate if self._idle else self.shelf_hz, self.sample_rate)
        self._edge = StreamFilter(edge[int(self.shelf_is_high)], self.channels)
        self._middle = StreamFilter(middle, self.channels)
        self._delayed_parts = [SampleFifo(self.channels), SampleFifo(self.channels)]
        self._past_energies = np.zeros((2, self.channels, _ENERGY_FRAMES - 1))
        self._past_reductions = np.zeros((self.channels, self._reach))
        self._reduction_db = np.zeros(self.channels)
        self._frames_before_first = 1 + _AHEAD_FRAMES

    @property
    def _energy_samples(self) -> int:
        """How many samples of a channel an energy is the sum of."""
        return _ENERGY_FRAMES * self._frame

    @property
    def latency(self) -> int:
        """Three frames less one sample; 0 where the rate has no such band."""
        return 0 if self._idle else (2 + _AHEAD_FRAMES) * self._frame - 1

    @property
    def linked(self) -> bool:
        """Whether the channels share the reduction."""
        return self.link_channels

    @property
    def block_period(self) -> int:
        """The frame."""
        return self._frame

    @abstractmethod
    def _band_filter(self) -> npt.NDArray[np.float64] | None:
        """Return the sections that filter the band out, or None where the rate has no such band."""

    @abstractmethod
    def _reductions_db(self, band: Energies, voice: Energies) -> Energies:
        """Return by how many dB the band is to be turned down in each frame, [channels, frames], 0 or more.

        The energies are of the frame and the three before it, and never 0.
        """

    @property
    def _reach(self) -> int:
        """Frames before a frame that have a say in its reduction: those held, and those ramped over."""
        return self.hold_frames + 2 * _AHEAD_FRAMES

    def _process(self, block: FloatArray) -> FloatArray:
        if self._idle:
            return block.copy()
        self._waiting.push(block)
        whole = len(self._waiting) // self._frame * self._frame
        if whole == 0:
            return np.zeros((self.channels, 0), np.float32)
        samples = self._waiting.pop(whole)
        energies = np.stack([self._energies(listener.process(samples)) for listener in (self._band, self._voice)])
        self._delayed.push(samples)
        for part, delayed in zip((self._edge, self._middle), self._delayed_parts, strict=True):
            delayed.push(part.process(samples).astype(np.float32))
        depths_db = self._depths_db(energies)
        skipped = min(self._frames_before_first, depths_db.shape[1])
        self._frames_before_first -= skipped
        if skipped:
            self._reduction_db = depths_db[:, skipped - 1]
        return self._turned_down(depths_db[:, skipped:])

    def _flush(self) -> FloatArray:
        if self._idle:
            return np.zeros((self.channels, 0), np.float32)
        owed = len(self._delayed) + len(self._waiting)
        rest = np.zeros((self.channels, 2 * self._frame + self.latency), np.float32)
        return self._process(rest)[:, :owed]

    def _reset(self, mask: BoolArray | None) -> None:
        for stream_filter in (self._band, self._voice, self._edge, self._middle):
            stream_filter.reset(mask)
        buffers = (self._waiting, self._delayed, *self._delayed_parts)
        if mask is None:
            self._frames_before_first = 1 + _AHEAD_FRAMES
            for buffer in buffers:
                buffer.clear()
            mask = np.ones(self.channels, np.bool_)
        else:
            for buffer in buffers:
                buffer.silence(mask)
        self._past_energies[:, mask] = 0.0
        self._past_reductions[mask] = 0.0
        self._reduction_db[mask] = 0.0

    def _energies(self, samples: npt.NDArray[np.float64]) -> Energies:
        return np.square(samples).reshape(self.channels, -1, self._frame).sum(axis=2)

    def _depths_db(self, energies: npt.NDArray[np.float64]) -> Energies:
        """Return the depth of the shelf at the end of each frame, [channels, frames]."""
        if self.link_channels:
            energies = np.broadcast_to(energies.sum(axis=1, keepdims=True), energies.shape)
        extended = np.concatenate((self._past_energies, energies), axis=2)
        self._past_energies = extended[:, :, -(_ENERGY_FRAMES - 1) :]
        frames = energies.shape[2]
        recent = np.lib.stride_tricks.sliding_window_view(extended, frames, axis=2).sum(axis=2)
        band, voice = recent + _QUIETEST_ENERGY
        reductions = np.concatenate((self._past_reductions, self._reductions_db(band, voice)), axis=1)
        self._past_reductions = reductions[:, -self._reach :]
        held = _spans(reductions, self.hold_frames + 1 + _AHEAD_FRAMES).max(axis=2)
        depths_db: Energies = _spans(held, 1 + _AHEAD_FRAMES).mean(axis=2)
        return depths_db

    def _turned_down(self, depths_db: Energies) -> FloatArray:
        """Return the next frames; the depth glides from frame to frame."""
        out = self._delayed.pop(depths_db.shape[1] * self._frame).copy()
        edge, middle = (delayed.pop(out.shape[1]) for delayed in self._delayed_parts)
        borders_db = np.concatenate((self._reduction_db[:, None], depths_db), axis=1)
        self._reduction_db = borders_db[:, -1]
        ramp = np.arange(1, self._frame + 1) / self._frame
        for channel, place in np.argwhere((borders_db[:, :-1] > 0.0) | (borders_db[:, 1:] > 0.0)):
            start_db, stop_db = borders_db[channel, place : place + 2]
            root = 10.0 ** (-(start_db + (stop_db - start_db) * ramp) / 40.0)
            at = slice(place * self._frame, (place + 1) * self._frame)
            removed = (1.0 - root**2) * edge[channel, at] + (1.0 - root) * middle[channel, at]
            out[channel, at] -= removed.astype(np.float32)
        return out


def _shelf_parts(
    shelf_hz: float, sample_rate: int
) -> tuple[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]], npt.NDArray[np.float64]]:
    """Return the sections of low-pass, high-pass and band-pass that add up to 1."""
    k = tan(pi * shelf_hz / sample_rate)
    norm = 1.0 + sqrt(2.0) * k + k * k
    poles = [1.0, 2.0 * (k * k - 1.0) / norm, (1.0 - sqrt(2.0) * k + k * k) / norm]
    low, middle, high = (
        np.array([[zero / norm for zero in zeros] + poles])
        for zeros in ([k * k, 2.0 * k * k, k * k], [sqrt(2.0) * k, 0.0, -sqrt(2.0) * k], [1.0, -2.0, 1.0])
    )
    return (low, high), middle


def decibels(power: Energies) -> Energies:
    """Return a ratio of powers in dB."""
    level_db: Energies = 10.0 * np.log10(power)
    return level_db


def rising(values: Energies, span: tuple[float, float]) -> Energies:
    """Return 0 below the span, 1 above it, and a straight line within."""
    share: Energies = np.clip((values - span[0]) / (span[1] - span[0]), 0.0, 1.0)
    return share


def check_decibels(name: str, value: float, lowest: float, highest: float) -> float:
    """Return a number of decibels, or raise ``InvalidParameterError`` if it is outside its range."""
    if not lowest <= value <= highest:
        raise InvalidParameterError(f"{name} is {value!r}; it must be from {lowest:g} to {highest:g} dB")
    return float(value)


def _spans(values: Energies, size: int) -> Energies:
    return np.lib.stride_tricks.sliding_window_view(values, size, axis=1)
