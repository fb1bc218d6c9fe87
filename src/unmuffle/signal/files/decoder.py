"""What every decoder offers, and the line that says a file was cut short."""

from __future__ import annotations

from typing import Protocol

from unmuffle.signal.files.info import AudioInfo
from unmuffle.signal.files.samples import Block


class Decoder(Protocol):
    """Source of samples in pieces of any size."""

    info: AudioInfo
    warnings: list[str]

    def read_chunk(self, frames: int) -> Block:
        """Give about `frames` samples, shape [channels, n]; n = 0 only at the end."""

    def skip(self, frames: int) -> int:
        """Jump over `frames` samples where that leads to the very sample, and return how many were skipped."""

    def close(self) -> None:
        """Let go of what was opened."""


class CannotDecodeError(Exception):
    """Raised by a decoder that cannot read a source, which another one may."""


def truncation_warning(name: str, got_frames: int, told_frames: int, sample_rate: int) -> str:
    """Line for a file that ends before its header says."""
    missing = (told_frames - got_frames) / sample_rate
    return (
        f"{name} ends {missing:.1f} s before its header says ({told_frames / sample_rate:.1f} s): "
        "what is there was read"
    )
