"""aiortc: an audio track of a WebRTC call, enhanced.

>>> from unmuffle.integrations.aiortc_track import EnhancedTrack
>>> connection.addTrack(EnhancedTrack(track))
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from unmuffle.integrations.frames import FrameEnhancer
from unmuffle.process.dry_wet import Strength
from unmuffle.signal.arrays import AnyArray
from unmuffle.signal.files.av_frames import block_to_frame, frame_to_block, sample_format_of

log = logging.getLogger("unmuffle.integrations")


class EnhancedTrack(MediaStreamTrack):
    """A track that gives the frames of another one, enhanced: same size, rate, layout, format and times.

    A thread does the work, so that the event loop goes on. If enhancing fails, frames pass as they come, and the log
    says why; when the other track ends, this one does.

    Parameters
    ----------
    track : MediaStreamTrack
        Of audio, such as that of ``RTCPeerConnection``'s event ``track``.
    strength : float or "auto", default 1.0
        How much of the effect is heard, 0 to 1; may be set at any time.
    **settings
        Of ``unmuffle.Enhancer``: preset, model, max_attenuation_db, chain ...

    Raises
    ------
    InvalidParameterError
        If a setting is out of range.
    """

    kind = "audio"

    def __init__(self, track: MediaStreamTrack, *, strength: Strength = 1.0, **settings: Any) -> None:
        super().__init__()
        self._track = track
        self._enhancer = FrameEnhancer(strength=strength, **settings)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="unmuffle track")
        self._told = False

    @property
    def strength(self) -> Strength:
        """How much of the effect is heard, 0 to 1, or ``"auto"``."""
        return self._enhancer.strength

    @strength.setter
    def strength(self, strength: Strength) -> None:
        self._enhancer.strength = strength

    @property
    def enabled(self) -> bool:
        """Whether anything is enhanced; False lets the voice pass, in step and without a click."""
        return self._enhancer.enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self._enhancer.enabled = enabled

    async def recv(self) -> Any:
        """Return the next frame.

        Raises
        ------
        MediaStreamError
            If the track has ended.
        """
        if self.readyState != "live":
            raise MediaStreamError
        try:
            frame = await self._track.recv()
        except MediaStreamError:
            self.stop()
            raise
        if not isinstance(frame, av.AudioFrame):
            return frame
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._enhance, frame)
        except RuntimeError:
            # The track was stopped while it waited for the other one.
            raise MediaStreamError from None

    def stop(self) -> None:
        """End this track and the one it enhances."""
        super().stop()
        self._track.stop()
        self._thread.shutdown(wait=False)

    def _enhance(self, frame: av.AudioFrame) -> av.AudioFrame:
        try:
            answer = self._enhancer.process(frame_to_block(frame), frame.sample_rate)
            return _like(frame, answer)
        except Exception:
            if not self._told:
                log.exception("a frame of an unknown kind passes as it came")
                self._told = True
            return frame


def _like(frame: av.AudioFrame, samples: AnyArray) -> av.AudioFrame:
    """Return a frame of these samples that is in all else as another."""
    name = frame.format.name
    made, _ = block_to_frame(
        np.asarray(samples, np.float32), sample_format_of(name), name, frame.layout.name, frame.sample_rate
    )
    made.pts, made.time_base = frame.pts, frame.time_base
    return made
