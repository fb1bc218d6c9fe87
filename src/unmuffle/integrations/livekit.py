"""LiveKit: a frame processor for the audio streams of a room.

>>> from livekit import rtc
>>> from unmuffle.integrations.livekit import UnmuffleProcessor
>>> stream = rtc.AudioStream(track, noise_cancellation=UnmuffleProcessor())
"""

from __future__ import annotations

from typing import Any

from livekit import rtc

from unmuffle.integrations.frame_worker import FrameWorker
from unmuffle.integrations.frames import FrameEnhancer
from unmuffle.integrations.pcm import from_bytes, to_bytes
from unmuffle.process.dry_wet import Strength


class UnmuffleProcessor(rtc.FrameProcessor[rtc.AudioFrame]):
    """Enhances the frames of an ``rtc.AudioStream``, each answered by one of its size.

    LiveKit calls a processor within its event loop. A thread does the work, so that the loop does not wait for it; this
    costs one frame of delay beside the 32 ms. Nothing is raised: if enhancing fails, frames pass as they come, and the
    log says why. The rate and the channels may change at any time.

    Parameters
    ----------
    strength : float or "auto", default 1.0
        How much of the effect is heard, 0 to 1; may be set at any time, and glides there.
    worker : bool, default True
        False does the work within the call, which takes some tenths of a millisecond a frame, one frame earlier.
    **settings
        Of ``unmuffle.Enhancer``: preset, model, max_attenuation_db, chain ...

    Raises
    ------
    InvalidParameterError
        If a setting is out of range.
    """

    def __init__(self, *, strength: Strength = 1.0, worker: bool = True, **settings: Any) -> None:
        self._runner: FrameWorker | FrameEnhancer
        if worker:
            self._runner = FrameWorker(strength=strength, **settings)
            self._enhancer = self._runner.enhancer
        else:
            self._runner = self._enhancer = FrameEnhancer(strength=strength, **settings)
        self._enabled = True

    @property
    def enabled(self) -> bool:
        """Whether LiveKit hands frames to the processor; to let a voice pass without a click, set the strength to 0."""
        return self._enabled

    @enabled.setter
    def enabled(self, value: bool) -> None:
        if value and not self._enabled:
            # Frames have gone past the processor: what it still holds is of long ago.
            self._runner.reset()
        self._enabled = bool(value)

    @property
    def strength(self) -> Strength:
        """How much of the effect is heard, 0 to 1, or ``"auto"``."""
        return self._enhancer.strength

    @strength.setter
    def strength(self, strength: Strength) -> None:
        self._enhancer.strength = strength

    @property
    def delay(self) -> int:
        """Samples by which frames are late."""
        return self._enhancer.delay

    def _process(self, frame: rtc.AudioFrame) -> rtc.AudioFrame:
        count = frame.num_channels * frame.samples_per_channel
        samples = from_bytes(frame.data.cast("B")[: 2 * count], frame.num_channels)
        answer = self._runner.process(samples, frame.sample_rate)
        return rtc.AudioFrame(
            to_bytes(answer), frame.sample_rate, frame.num_channels, frame.samples_per_channel, userdata=frame.userdata
        )

    def _close(self) -> None:
        if isinstance(self._runner, FrameWorker):
            self._runner.close()
