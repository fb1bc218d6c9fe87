"""Frames enhanced by a thread of their own, for callers that may not wait."""

from __future__ import annotations

import logging
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from unmuffle.integrations.frames import FrameEnhancer
from unmuffle.signal.arrays import AnyArray

LONGEST_WAIT_S = 0.2
"""For a frame that is late; once, and not again before the thread has caught up."""
MOST_WAITING = 500
"""Frames: beyond so many the thread will never catch up, and they pass without it."""

log = logging.getLogger("unmuffle.integrations")


class FrameWorker:
    """Hands each frame to a thread and answers with what is due, one frame later than it must be.

    At a steady pace that was done long ago, so that nothing is waited for. Frames that come in a burst, faster than
    they last, wait for each other; none is lost.

    Parameters
    ----------
    **settings
        Of ``FrameEnhancer``.
    """

    def __init__(self, **settings: Any) -> None:
        self.enhancer = FrameEnhancer(frames_behind=1, **settings)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="unmuffle frames")
        self._begun: deque[Future[None]] = deque()
        self._format: tuple[int, int] | None = None
        self._owed = 0
        self._told = False

    def process(self, frame: AnyArray, sample_rate: int) -> AnyArray:
        """Return the answer that is due now, of the frame's shape and type; never raises."""
        if len(self._begun) >= MOST_WAITING and not self._begun[0].done():
            return frame
        try:
            self._begun.append(self._thread.submit(self.enhancer.feed, frame.copy(), sample_rate))
            changed, self._format = self._format != (sample_rate, len(frame)), (sample_rate, len(frame))
            while self._begun and (changed or self.enhancer.ready < frame.shape[1]):
                self._begun[0].result(0.0 if self._owed else LONGEST_WAIT_S)
                self._begun.popleft()
            self._begun = deque(future for future in self._begun if not future.done())
            return self._due(frame)
        except Exception:
            if not self._told:
                log.exception("the worker did not answer: frames pass as they come")
                self._told = True
            self._owed += frame.shape[1]
            return frame

    def reset(self) -> None:
        """Forget the past: frames have gone another way meanwhile."""
        self._format = None
        self._owed = 0
        self._begun.append(self._thread.submit(self.enhancer.reset))

    def close(self) -> None:
        """End the thread; what still comes passes as it is."""
        self._told = True
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _due(self, frame: AnyArray) -> AnyArray:
        # What was due while nothing came has been answered otherwise.
        late = min(self._owed, self.enhancer.ready - frame.shape[1])
        if late > 0:
            self.enhancer.take(late, frame.dtype)
            self._owed -= late
        return self.enhancer.take(frame.shape[1], frame.dtype)
