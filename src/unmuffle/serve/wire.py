"""A connection, as a session sees it."""

from __future__ import annotations

from typing import Protocol

ABNORMAL = 1006
"""How a connection ended that was not closed, as RFC 6455 has it."""


class Wire(Protocol):
    """The connection, as a session sees it. None of it waits."""

    @property
    def unsent_bytes(self) -> int:
        """What the client has not taken yet."""

    def send(self, message: bytes | str) -> None:
        """Send a message."""

    def close(self, code: int, reason: str) -> None:
        """Send what is still to be sent, then close."""

    def abort(self) -> None:
        """Close at once."""

    def pause_reading(self) -> None:
        """Take nothing more from the client."""

    def resume_reading(self) -> None:
        """Go on."""
