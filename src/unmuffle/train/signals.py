"""Being told to stop."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType


def call_on_signals(stop: Callable[[], None]) -> None:
    """Have the first SIGTERM or SIGINT call ``stop``; a second one ends the process at once."""

    def heed(number: int, _: FrameType | None) -> None:
        stop()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, heed)
