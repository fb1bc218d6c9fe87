"""The command ``unmuffle``: one file a command."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Run the command line."""
    try:
        from unmuffle.cli.app import app
        from unmuffle.jobs.workers import unwind

        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            # What was set to be ignored, as by nohup, stays so.
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, unwind)
        app()
    except KeyboardInterrupt:
        # Before any command had begun.
        sys.exit(130)
