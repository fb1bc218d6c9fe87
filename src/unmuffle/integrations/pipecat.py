"""Pipecat: an audio filter for the input, or the output, of a transport.

>>> from pipecat.transports.base_transport import TransportParams
>>> from unmuffle.integrations.pipecat import UnmuffleFilter
>>> TransportParams(audio_in_enabled=True, audio_in_filter=UnmuffleFilter())
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pipecat.audio.filters.base_audio_filter import BaseAudioFilter
from pipecat.frames.frames import FilterControlFrame, FilterEnableFrame, FilterUpdateSettingsFrame

from unmuffle.integrations.frames import FrameEnhancer
from unmuffle.integrations.pcm import from_bytes, to_bytes
from unmuffle.process.dry_wet import Strength

SAMPLE_BYTES = 2

log = logging.getLogger("unmuffle.integrations")


class UnmuffleFilter(BaseAudioFilter):
    """Enhances the audio of a transport before voice-activity detection and recognition hear it.

    The work is done by a thread of the filter's own, so that the event loop goes on. Nothing is raised in a pipeline:
    if enhancing fails, the audio passes as it comes, and the log says why.

    A ``FilterEnableFrame`` turns the filter off and on without a click. A ``FilterUpdateSettingsFrame`` sets
    ``strength`` (0 to 1, or ``"auto"``) and ``enabled``; other settings are logged and left.

    Parameters
    ----------
    strength : float or "auto", default 1.0
        How much of the effect is heard, 0 to 1.
    **settings
        Of ``unmuffle.Enhancer``: preset, model, max_attenuation_db, chain ...

    Raises
    ------
    InvalidParameterError
        If a setting is out of range.
    """

    def __init__(self, *, strength: Strength = 1.0, **settings: Any) -> None:
        self._enhancer = FrameEnhancer(strength=strength, same_size=False, **settings)
        self._thread: ThreadPoolExecutor | None = None
        self._sample_rate = 0
        self._cut = b""

    async def start(self, sample_rate: int) -> None:
        """Begin a stream of this rate in Hz; while one goes on, it goes over to this rate without a click."""
        self._sample_rate = sample_rate
        self._cut = b""
        if self._thread is None:
            self._enhancer.begin()
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="unmuffle pipecat")

    async def stop(self) -> None:
        """End the thread; what comes later passes as it is."""
        if self._thread is not None:
            self._thread.shutdown(wait=False)
            self._thread = None

    async def process_frame(self, frame: FilterControlFrame) -> None:
        """Turn the filter on or off, or change its settings."""
        if isinstance(frame, FilterEnableFrame):
            self._set("enabled", frame.enable)
        elif isinstance(frame, FilterUpdateSettingsFrame):
            for name, value in frame.settings.items():
                self._set(name, value)

    async def filter(self, audio: bytes) -> bytes:
        """Return what is ready, int16 as it came in; nothing in the first 32 ms."""
        thread = self._thread
        if thread is None:
            return audio
        try:
            return await asyncio.get_running_loop().run_in_executor(thread, self._enhance, audio)
        except Exception:
            # Among them: the thread was ended while this waited for its turn.
            log.debug("audio passes as it came", exc_info=True)
            return audio

    def _enhance(self, audio: bytes) -> bytes:
        whole = self._cut + audio
        end = len(whole) - len(whole) % SAMPLE_BYTES
        self._cut = whole[end:]
        return to_bytes(self._enhancer.process(from_bytes(whole[:end], 1), self._sample_rate))

    def _set(self, name: str, value: Any) -> None:
        try:
            if name not in ("strength", "enabled"):
                raise ValueError("there is no such setting while a call goes on")
            setattr(self._enhancer, name, value)
        except Exception as error:
            log.warning("the setting %s=%r was left out: %s", name, value, error)
