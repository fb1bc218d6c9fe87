"""Audio of an evaluation, written so that a browser can play it."""

from __future__ import annotations

from pathlib import Path

from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.files import AudioInfo, open_writer


def write_flac(path: Path, audio: FloatArray, sample_rate: int) -> None:
    """Write audio [channels, samples] as FLAC of 16 bit, whole or not at all; a file that is there is replaced.

    Raises
    ------
    AudioFileError
        If it cannot be written.
    """
    info = AudioInfo(sample_rate, len(audio), sample_format="s16")
    with open_writer(path, info, overwrite=True, container="flac") as writer:
        writer.write(audio)
