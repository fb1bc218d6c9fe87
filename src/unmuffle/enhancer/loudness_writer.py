"""Writing a file at a target loudness: the audio waits in a temporary file until its gain is known.

The gain depends on the whole programme, so the audio has to be had twice. It is kept, as float32, rather than made
anew: enhancing costs ten times what writing and reading samples does, standard input cannot be read twice, and the
second pass gets bit for bit what the first one measured. Memory stays constant; the disk needs 4 bytes a sample (0.7 GB
for an hour of one channel at 48 kHz), in the destination's folder, since the system's own may lie in memory.

A lossy codec moves peaks and levels, so its result is tried: encoded beside, decoded and measured, and the ceiling is
lowered by what the codec adds.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import numpy as np

from unmuffle.level.channel_weights import weights_of_layout
from unmuffle.level.normalization import (
    Normalization,
    Programme,
    ProgrammeMeter,
    find_normalization,
    gain_and_limiter,
    measure_programme,
    run_blocks,
)
from unmuffle.level.targets import LoudnessTarget
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.files import AudioInfo, AudioWriter, open_reader, open_writer
from unmuffle.signal.files.info import is_lossy
from unmuffle.signal.files.opening import DestinationLike
from unmuffle.signal.files.targets import told_as

BLOCK_S = 2.0


class LoudnessWriter:
    """Takes the place of an ``AudioWriter``: what it was given is written by ``finish``, at the target.

    Parameters
    ----------
    writer : AudioWriter
        Where the result goes; it stays the caller's to close.
    destination : path or stream
        Where the writer writes to.
    source_info : AudioInfo
        What the writer was opened with.
    target : LoudnessTarget
        Where the loudness is to land.
    """

    def __init__(
        self, writer: AudioWriter, destination: DestinationLike, source_info: AudioInfo, target: LoudnessTarget
    ) -> None:
        self._writer = writer
        self._info = source_info
        self._target = target
        self._weights = weights_of_layout(source_info.layout, source_info.channels)
        self._meter = ProgrammeMeter(source_info.sample_rate, source_info.channels, self._weights)
        self._spool = _Spool(_folder_of(destination), source_info.channels)

    def write(self, block: FloatArray) -> None:
        """Take the next samples, float32 [channels, n]."""
        self._meter.process(block)
        self._spool.write(block)

    def finish(self, progress: Callable[[float], None]) -> Normalization:
        """Write all that was taken, and return what was done to it; the progress is told as a share of it."""
        lossy = is_lossy(self._writer.info.codec)
        found = find_normalization(
            self._meter.programme,
            self._target,
            self._encoded if lossy else self._limited,
            self._meter.seconds,
            exact=not lossy,
        )
        total = max(1.0, self._meter.seconds * self._info.sample_rate)
        for block in self._normalized(found.gain_db, found.ceiling_dbtp):
            self._writer.write(block)
            progress(min(1.0, self._writer.position / total))
        return found

    def _normalized(self, gain_db: float, ceiling_dbtp: float) -> Iterator[FloatArray]:
        rate, channels = self._info.sample_rate, self._info.channels
        return run_blocks(
            self._spool.blocks(round(BLOCK_S * rate)), gain_and_limiter(rate, channels, gain_db, ceiling_dbtp)
        )

    def _limited(self, gain_db: float, ceiling_dbtp: float) -> Programme:
        """Measure what a gain and a ceiling make of the audio."""
        blocks = self._normalized(gain_db, ceiling_dbtp)
        return measure_programme(blocks, self._info.sample_rate, self._info.channels, self._weights)

    def _encoded(self, gain_db: float, ceiling_dbtp: float) -> Programme:
        """Measure what is heard of it when it has been through the codec."""
        # Without its picture: only the audio is encoded anew.
        info = replace(self._info, has_video=False, start_s=0.0)
        with tempfile.TemporaryDirectory(prefix="unmuffle-") as folder:
            path = Path(folder) / f"trial.{self._writer.info.container}"
            with open_writer(path, info) as writer:
                for block in self._normalized(gain_db, ceiling_dbtp):
                    writer.write(block)
            with open_reader(path) as reader:
                return measure_programme(reader.blocks(), reader.info.sample_rate, reader.info.channels, self._weights)

    def __enter__(self) -> LoudnessWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._spool.close()


class _Spool:
    """Samples in a temporary file that goes when it is closed, whatever happens."""

    def __init__(self, folder: Path | None, channels: int) -> None:
        self._name = f"the temporary file in {folder or tempfile.gettempdir()}"
        self._channels = channels
        with told_as(self._name):
            self._file = tempfile.TemporaryFile(dir=folder, prefix=".unmuffle-")  # noqa: SIM115 (closed by `close`)

    def write(self, block: FloatArray) -> None:
        with told_as(self._name):
            self._file.write(np.ascontiguousarray(block.T, np.float32).data)

    def blocks(self, frames: int) -> Iterator[FloatArray]:
        """Yield all samples from the first on, float32 [channels, n]."""
        self._file.seek(0)
        while data := self._file.read(4 * self._channels * frames):
            yield np.ascontiguousarray(np.frombuffer(data, np.float32).reshape(-1, self._channels).T)

    def close(self) -> None:
        self._file.close()


def _folder_of(destination: DestinationLike) -> Path | None:
    """Return the folder of a file that is to be written, None for streams and devices."""
    if not isinstance(destination, (str, os.PathLike)) or destination == "-":
        return None
    path = Path(os.path.realpath(destination))
    return path.parent if path.is_file() or not path.exists() else None
