"""What the adapters share: frames in, frames out, in step, whatever happens.

A call must go on. So no exception leaves ``FrameEnhancer``: what goes wrong is logged once, the frames pass as they
came, and some seconds later a new stream is tried. A change of the rate or of the channels opens a new stream, which
first hears the last half second again, at its own rate: it then knows voice and noise, and what it makes of that moment
is there to be crossfaded with the end of the old one.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from unmuffle.enhancer import Enhancer, EnhancerStream
from unmuffle.enhancer.overload import OnOverload
from unmuffle.errors import InvalidParameterError
from unmuffle.integrations.handover import Joint, Past, fade_in, head_of, last_of, refit
from unmuffle.process.dry_wet import AUTO, Strength
from unmuffle.signal.arrays import AnyArray, FloatArray, from_float32, to_float32
from unmuffle.signal.fifo import SampleFifo

TRIED_AGAIN_S = 5.0

log = logging.getLogger("unmuffle.integrations")


class FrameEnhancer:
    """Enhances frames of any size, rate and number of channels, one after the other.

    Parameters
    ----------
    strength : float or "auto", default 1.0
        How much of the effect is heard, 0 to 1; may be set at any time.
    same_size : bool, default True
        Each frame is answered by one of its size, late by ``delay`` samples. False: the answer is what is ready, which
        may be nothing; nothing is shifted, and the end is never given.
    frames_behind : int, default 0
        By how many frames, of the first one's size, the answer is later than it must be.
    on_overload : {"step_down", "keep"}, default "step_down"
        What to do where the machine cannot keep up; see ``unmuffle.open_stream``.
    **settings
        Of ``unmuffle.Enhancer``: method, model, preset, chain, max_attenuation_db, keep, link_channels ...

    Raises
    ------
    InvalidParameterError
        If a setting is out of range or not for streams. It comes now, and nothing comes later, in a call.
    """

    def __init__(
        self,
        *,
        strength: Strength = 1.0,
        same_size: bool = True,
        frames_behind: int = 0,
        on_overload: OnOverload = "step_down",
        **settings: Any,
    ) -> None:
        self._on_overload: OnOverload = on_overload
        self._settings = settings
        self._same_size, self._frames_behind = same_size, frames_behind
        self._strength = strength
        self._enabled = True
        self._stream: EnhancerStream | None = None
        self._outdated = False
        self._lock = threading.Lock()
        self._played = self._ending = np.zeros((1, 0), np.float32)
        self._past = Past()
        self._lay(1)
        self._extra = self._skipped = 0
        self._faded = self._resting_s = 0.0
        self._passing = self._told = False
        self._open(16_000, 1)

    @property
    def strength(self) -> Strength:
        """How much of the effect is heard, 0 to 1, or ``"auto"``; glides to what is set in 20 ms.

        Raises
        ------
        InvalidParameterError
            If what is set is neither.
        """
        return self._strength

    @strength.setter
    def strength(self, strength: Strength) -> None:
        Enhancer(strength=strength)
        self._strength = strength
        self._follow()

    @property
    def enabled(self) -> bool:
        """Whether anything is enhanced; False lets the voice pass, in step and without a click."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self._enabled = bool(enabled)
        self._follow()

    @property
    def delay(self) -> int:
        """Samples by which answers are late; those of the last frames while frames pass as they came."""
        return self._extra + (0 if self._stream is None else self._stream.latency)

    @property
    def ready(self) -> int:
        """Samples that can be taken."""
        with self._lock:
            return len(self._ready)

    def process(self, frame: AnyArray, sample_rate: int) -> AnyArray:
        """Return a frame's answer, of its type and channels: ``feed`` and ``take`` in one.

        Parameters
        ----------
        frame : ndarray
            ``[channels, n]``, n from 0 up; int16, int32 or float of full scale 1.0.
        sample_rate : int
            In Hz. It may change from frame to frame, as may the channels.
        """
        self.feed(frame, sample_rate)
        return self.take(frame.shape[1] if self._same_size else self.ready, frame.dtype)

    def feed(self, frame: AnyArray, sample_rate: int) -> None:
        """Take a frame in; never raises."""
        try:
            if self._resting_s > 0.0:
                self._resting_s -= frame.shape[1] / sample_rate
                self._pass(frame)
            else:
                self._push(self._stream_for(frame, sample_rate), frame)
            self._past.add(frame, sample_rate)
        except Exception:
            self._failed(frame)

    def take(self, count: int, dtype: npt.DTypeLike) -> AnyArray:
        """Return the next samples [channels, count] of what is ready."""
        with self._lock:
            answer = self._ready.pop(count).copy()
            self._played = last_of(self._played, answer)
        return from_float32(answer, dtype)

    def begin(self) -> None:
        """Forget the past: the next frame is the first."""
        self.reset()
        self._passing = False

    def reset(self) -> None:
        """Forget the past: frames have gone another way meanwhile, and the next one begins anew."""
        self._stream = None
        self._resting_s = 0.0
        self._passing = True
        self._past.clear()
        with self._lock:
            self._lay(self._channels)

    def _follow(self) -> None:
        """Have the stream at work take on the strength; where it cannot, the next frame opens another."""
        if self._stream is None:
            return
        try:
            self._stream.strength = self._strength if self._enabled else 0.0
        except InvalidParameterError:
            # To or from "auto", which a stream keeps.
            self._outdated = True

    def _open(self, sample_rate: int, channels: int) -> EnhancerStream:
        wanted = self._strength if self._enabled else 0.0
        inner: dict[str, Any] = {"strength": AUTO} if wanted == AUTO else {}
        stream = Enhancer(**inner, **self._settings).open_stream(sample_rate, channels, on_overload=self._on_overload)
        if wanted != AUTO:
            # Of all that a preset does, not of its denoiser alone, so that it can be taken back to nothing.
            stream.strength = wanted
            stream.reset()
        return stream

    def _stream_for(self, frame: AnyArray, sample_rate: int) -> EnhancerStream:
        old = self._stream
        given = (sample_rate, len(frame))
        if old is not None and (old.sample_rate, old.channels) == given and not self._outdated:
            return old
        opened = self._open(*given)
        follows = old is not None or self._passing
        self._extra = self._frames_behind * frame.shape[1]
        end = self._end(old, frame) if follows else np.zeros((len(frame), 0), np.float32)
        self._begin(opened, refit(self._played, end, old.sample_rate if old else sample_rate, *given), old is not None)
        if not follows:
            self._faded = 1.0
        self._stream, self._outdated, self._passing = opened, False, False
        return opened

    def _end(self, old: EnhancerStream | None, frame: AnyArray) -> FloatArray:
        """Return what would have been heard next: the rest of a stream, or the head of what has passed till now."""
        rest = to_float32(np.atleast_2d(old.flush())) if old is not None else head_of(to_float32(frame))
        with self._lock:
            waiting = self._ready.pop(len(self._ready)).copy()
        return np.concatenate((waiting, rest), axis=1) if len(waiting) == len(rest) else rest

    def _begin(self, opened: EnhancerStream, end: FloatArray, owed: bool) -> None:
        """Let a new stream hear what came last, and take over; ``end`` would be heard next, and may be owed."""
        past = self._past.at(opened.sample_rate, opened.channels)
        behind = opened.latency + self._extra if self._same_size else owed * end.shape[1]
        joint = Joint.of(end, past.shape[1] - behind, opened.sample_rate)
        self._skipped, self._ending, self._faded = joint.skipped, joint.ending, 0.0
        with self._lock:
            self._lay(opened.channels)
            self._ready.push(joint.lead)
        if past.shape[1]:
            self._push(opened, past)

    def _push(self, stream: EnhancerStream, block: AnyArray) -> None:
        """Have a stream enhance a block, and take what is due of its answer."""
        enhanced = to_float32(np.asarray(stream.process(block)))
        left_out = min(self._skipped, enhanced.shape[1])
        self._skipped -= left_out
        enhanced = enhanced[:, left_out:]
        if self._faded < 1.0:
            enhanced, self._faded = fade_in(enhanced, stream.sample_rate, self._faded)
            ending = self._ending[:, : enhanced.shape[1]]
            enhanced[:, : ending.shape[1]] += ending
            self._ending = self._ending[:, ending.shape[1] :]
        with self._lock:
            self._ready.push(enhanced)

    def _lay(self, channels: int) -> None:
        """Begin with nothing to be heard, and nothing heard before."""
        self._channels = channels
        self._ready = SampleFifo(channels)
        self._played = np.zeros((channels, 0), np.float32)

    def _failed(self, frame: AnyArray) -> None:
        if not self._told:
            log.exception("enhancing failed: frames pass as they come, to be tried again in %.0f s", TRIED_AGAIN_S)
            self._told = True
        self.reset()
        self._resting_s = TRIED_AGAIN_S
        with self._lock:
            self._ready.push_zeros(self._extra)
        self._pass(frame)

    def _pass(self, frame: AnyArray) -> None:
        with self._lock:
            if len(frame) != self._channels:
                self._lay(len(frame))
                self._ready.push_zeros(self._extra)
            self._ready.push(to_float32(frame))
