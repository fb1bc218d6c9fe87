"""What a pool refuses: one more stream, or more audio than it may keep."""

from __future__ import annotations

from unmuffle.errors import UnmuffleError


class PoolFullError(UnmuffleError):
    """No slot is free for another stream: close one, or try again later."""


class PoolBusyError(UnmuffleError):
    """More audio of a stream waits than the pool keeps: read what is ready, or write more slowly."""
