"""The command ``unmuffle``: one file a command."""

from __future__ import annotations

import signal
import sys
from types import FrameType


def main() -> None:
    """Run the command line."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # What was set to be ignored, as by nohup, stays so.
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _unwind)
    try:
        from unmuffle.cli.app import app

        app()
    except KeyboardInterrupt:
        # Before any command had begun.
        sys.exit(130)


def _unwind(number: int, _: FrameType | None) -> None:
    """End by way of all open files, so that none is left half-written."""
    # A second one would disturb the unwinding.
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)
