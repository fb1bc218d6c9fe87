"""What the live loop needs of a sound device: blocks that come in at its own pace, and blocks that it wants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from unmuffle.errors import InvalidParameterError
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.grid import grid_for

Take: TypeAlias = Callable[[FloatArray], None]
"""Called with each block of the microphone, float32 [channels, n]; it must be copied before returning."""
Give: TypeAlias = Callable[[FloatArray], None]
"""Called with each block to be filled for the output, float32 [channels, n]."""

SHORTEST_BLOCK_MS, LONGEST_BLOCK_MS = 1.0, 100.0


@dataclass(frozen=True)
class Side:
    """One direction of a device.

    Attributes
    ----------
    name : str
    sample_rate : int
        In Hz.
    channels : int
    block_size : int
        Samples of each channel in every block.
    """

    name: str
    sample_rate: int
    channels: int
    block_size: int


class Device(Protocol):
    """A microphone and, unless it is only listened to, an output."""

    @property
    def input(self) -> Side:
        """Where the voice comes from."""

    @property
    def output(self) -> Side | None:
        """Where it goes; None for a device that is only listened to."""

    @property
    def one_clock(self) -> bool:
        """Whether both run by the same clock: each block of input is then followed by one of output, of its size."""

    @property
    def latency_s(self) -> float:
        """From the air to ``take`` and from ``give`` to the air together, as far as the device tells."""

    @property
    def xruns(self) -> int:
        """Blocks that the device itself says were lost or came too late."""

    @property
    def active(self) -> bool:
        """Whether there is more to come; False once a device has been pulled out, or a file is at its end."""

    @property
    def error(self) -> str | None:
        """What went wrong in a thread of the device's own, in one line."""

    def start(self, take: Take, give: Give) -> None:
        """Begin to call both, from threads of the device's own."""

    def stop(self) -> None:
        """Call neither any more from now on, and let go of the device."""


def block_size_for(sample_rate: int, block_ms: float | None = None) -> int:
    """Return the samples of a block; without a length, half a frame (8 ms).

    Blocks that end together with frames make the least delay: 24 ms of the enhancer's 32 with 8 ms, 30 with 10 ms.

    Raises
    ------
    InvalidParameterError
        If the length is not 1 to 100 ms, or the rate is out of range.

    Examples
    --------
    >>> block_size_for(48_000), block_size_for(44_100), block_size_for(48_000, 10)
    (384, 352, 480)
    """
    if block_ms is None:
        return grid_for(sample_rate).hop // 2
    if not SHORTEST_BLOCK_MS <= block_ms <= LONGEST_BLOCK_MS:
        raise InvalidParameterError(
            f"a block of {block_ms} ms is not between {SHORTEST_BLOCK_MS:g} and {LONGEST_BLOCK_MS:g} ms"
        )
    return max(1, round(grid_for(sample_rate).sample_rate * block_ms / 1e3))
