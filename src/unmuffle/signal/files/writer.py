"""Writing audio in blocks: whole or not at all, in the way of its source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import numpy as np

from unmuffle.errors import InvalidAudioError
from unmuffle.signal.files.info import AudioInfo
from unmuffle.signal.files.samples import Block
from unmuffle.signal.files.targets import Target, told_as


class Encoder(Protocol):
    """Takes samples and makes a file of them."""

    keeps_nan: bool

    def write(self, block: Block) -> int:
        """Take a block, shape [channels, n]; gives the number of clipped samples."""

    def finish(self) -> int | None:
        """Write what is left; gives the number of clipped samples where there were more."""

    def discard(self) -> None:
        """Close without caring for the result."""


class AudioWriter:
    """Audio written block by block; made by `open_writer`, and a context manager.

    Leaving the context commits; leaving it by any exception aborts: the unfinished file is removed, and a
    file that was at the destination stays as it was.

    Attributes
    ----------
    info : AudioInfo
        What is written: rate, channels, codec, sample format, bit rate.
    warnings : list of str
        What the destination cannot keep.
    clipped_samples : int
        Samples beyond full scale that were held at it, for integer formats.
    position : int
        Samples of each channel written so far.
    on_whole : callable, optional
        Called with the finished file before it takes its name, to be read only; not where a stream is written.
    """

    def __init__(self, info: AudioInfo, target: Target, encoder: Encoder, warnings: list[str]) -> None:
        self.info = info
        self.warnings = warnings
        self.clipped_samples = 0
        self.position = 0
        self.on_whole: Callable[[Path], None] | None = None
        self._channels = info.channels
        self._target = target
        self._encoder = encoder
        self._not_numbers = 0
        self._open = True

    def write(self, block: Block) -> None:
        """Write the next samples.

        Parameters
        ----------
        block : ndarray of float32, shape [channels, n]
            Full scale is 1.0. Float formats keep what is beyond it; integer formats round half to even and
            hold it at full scale; NaN becomes silence in every format but float ones.

        Raises
        ------
        InvalidAudioError
            When the shape is another.
        AudioFileError
            When the destination cannot be written, as on a full disk.
        """
        samples = np.asarray(block)
        if samples.ndim != 2 or samples.shape[0] != self._channels or samples.dtype.kind != "f":
            raise InvalidAudioError(
                f"a block of {samples.dtype} {list(samples.shape)} does not fit {self._target.name}: "
                f"give float32 [{self._channels}, n]"
            )
        if not self._open:
            raise InvalidAudioError(f"{self._target.name} is already closed: open it anew to write more")
        samples = samples.astype(np.float32, copy=False)
        with told_as(self._target.name):
            self.clipped_samples += self._encoder.write(self._numbers_only(samples))
        self.position += samples.shape[1]

    def commit(self) -> None:
        """Finish the file and give it its name; nothing happens when it is done already.

        Raises
        ------
        AudioFileError
            When it cannot be finished; nothing is left behind then.
        OutputExistsError
            When a file of that name has come up meanwhile and was not to be overwritten.
        """
        if not self._open:
            return
        try:
            with told_as(self._target.name):
                self.clipped_samples += self._encoder.finish() or 0
                whole = self._target.whole() if self.on_whole is not None else None
            if self.on_whole is not None and whole is not None:
                self.on_whole(whole)
            self._target.commit()
        except BaseException:
            self.abort()
            raise
        self._open = False
        if self._not_numbers:
            self.warnings.append(f"{self._not_numbers} samples were not numbers (NaN): silence was written for them")

    def abort(self) -> None:
        """Drop what was written; nothing happens when it is committed or dropped already."""
        if not self._open:
            return
        self._open = False
        try:
            self._encoder.discard()
        finally:
            self._target.abort()

    def __enter__(self) -> AudioWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.commit()
        else:
            self.abort()

    def _numbers_only(self, samples: Block) -> Block:
        if self._encoder.keeps_nan or samples.size == 0:
            return samples
        # A sum is a number only if all of its terms are: one pass, for what is hardly ever there.
        if np.isfinite(samples.sum(dtype=np.float64)):
            return samples
        missing = np.isnan(samples)
        self._not_numbers += int(np.count_nonzero(missing))
        cleaned: Any = np.nan_to_num(samples, nan=0.0, posinf=1e9, neginf=-1e9)
        return np.asarray(cleaned, dtype=np.float32)
