"""Enhancing a file into another, block by block, in constant memory."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeAlias

from unmuffle.enhancer.loudness_writer import LoudnessWriter
from unmuffle.errors import AudioFileError, InvalidAudioError, UnmuffleError
from unmuffle.level.normalization import Normalization
from unmuffle.level.targets import LoudnessTarget
from unmuffle.process import Chain, DryWet, Processor
from unmuffle.process.strength_over_time import StrengthOverTime
from unmuffle.signal.arrays import FloatArray, find_nonfinite
from unmuffle.signal.files import AudioReader, AudioWriter, RawFormat, open_reader, open_writer
from unmuffle.signal.files.opening import DestinationLike
from unmuffle.signal.files.source import SourceLike

Progress: TypeAlias = Callable[[float, "float | None"], None]
"""Called with the seconds done and the seconds in all, None if those are not known."""

BLOCK_S = 2.0
_SHARE_OF_FIRST_PASS = 0.8
"""Of the time that a file takes when its loudness is to be set."""


@dataclass(frozen=True)
class FileReport:
    """What became of a file.

    Attributes
    ----------
    source, destination : str
        Names of both files.
    seconds, elapsed_s : float
        Length of the audio, and time it took.
    sample_rate, channels : int
    warnings : tuple of str
        What could not be kept or was not as it should be, one line each.
    normalization : Normalization, optional
        How a loudness that was asked for was reached: gain, and loudness and true peak before and after.
    strength_over_time : StrengthOverTime, optional
        How strong the denoiser was at which time, where that followed the audio.
    from_cache : bool
        Whether the destination is a copy of what was made earlier of the same.
    cache_note : str, optional
        Why a cache that was given was not asked.
    """

    source: str
    destination: str
    seconds: float
    elapsed_s: float
    sample_rate: int
    channels: int
    warnings: tuple[str, ...] = ()
    normalization: Normalization | None = None
    strength_over_time: StrengthOverTime | None = None
    from_cache: bool = False
    cache_note: str | None = None

    @property
    def speed(self) -> float:
        """Seconds of audio done in a second."""
        return self.seconds / self.elapsed_s if self.elapsed_s else 0.0


@dataclass(frozen=True)
class FileJob:
    """One file to be enhanced; the fields are those of ``unmuffle.Enhancer.enhance_file``.

    ``on_whole`` is called with ``"result"`` or ``"removed"`` and the finished file before that takes its name.
    """

    source: SourceLike
    destination: DestinationLike
    save_removed: str | os.PathLike[str] | BinaryIO | None = None
    overwrite: bool = False
    raw: RawFormat | None = None
    progress: Progress | None = None
    target: LoudnessTarget | None = None
    on_whole: Callable[[str, Path], None] | None = None

    @property
    def source_name(self) -> str:
        """What messages call the source."""
        return "standard input" if self.source == "-" else _name(self.source)

    @property
    def destination_name(self) -> str:
        """What messages call the destination."""
        return "standard output" if self.destination == "-" else _name(self.destination)


def run(job: FileJob, make_processor: Callable[[AudioReader], DryWet]) -> FileReport:
    """Enhance a file.

    Raises
    ------
    UnmuffleError
        With the file's name; no output, whole or part, is then left behind.
    """
    started = time.perf_counter()
    refuse_mixing_up(job)
    with ExitStack() as stack:
        reader = stack.enter_context(open_reader(job.source, raw=job.raw))
        try:
            processor = make_processor(reader)
        except UnmuffleError as error:
            raise AudioFileError(f"{job.source_name}: {error}") from error
        # The last to be opened is the first to be closed: what was removed is in place before the result is.
        writer = stack.enter_context(
            open_writer(job.destination, reader.info, source=job.source, overwrite=job.overwrite, raw=job.raw)
        )
        _watch(writer, job, "result")
        removed = None
        if job.save_removed is not None:
            removed = stack.enter_context(
                open_writer(job.save_removed, reader.info, overwrite=job.overwrite, raw=job.raw)
            )
            _watch(removed, job, "removed")
        waiting = None
        if job.target is not None:
            waiting = stack.enter_context(LoudnessWriter(writer, job.destination, reader.info, job.target))
        for kept, rest in _enhanced(reader, processor, job.source_name):
            (waiting or writer).write(rest if processor.residual else kept)
            if removed is not None:
                removed.write(rest)
            _tell(job, reader, _SHARE_OF_FIRST_PASS if waiting else 1.0)
        reached = None
        if waiting is not None:
            reached = waiting.finish(
                lambda share: _tell(job, reader, _SHARE_OF_FIRST_PASS + (1.0 - _SHARE_OF_FIRST_PASS) * share)
            )
    return _report(job, reader, writer, processor, reached, time.perf_counter() - started)


def _watch(writer: AudioWriter, job: FileJob, part: str) -> None:
    if job.on_whole is not None:
        writer.on_whole = partial(job.on_whole, part)


def _tell(job: FileJob, reader: AudioReader, share: float) -> None:
    """Tell how far a file is: so much of what has been read."""
    if job.progress is not None:
        job.progress(share * reader.position / reader.info.sample_rate, reader.info.seconds)


def refuse_mixing_up(job: FileJob) -> None:
    """Refuse to write what was removed over the source or the result."""
    for other, what in ((job.source, "the source itself"), (job.destination, "the result itself")):
        if _are_one_file(job.save_removed, other):
            raise AudioFileError(f"{_name(other)} is {what}: write what was removed to another name")


def _are_one_file(one: object, other: object) -> bool:
    if not (isinstance(one, (str, os.PathLike)) and isinstance(other, (str, os.PathLike))):
        return False
    one, other = Path(one), Path(other)
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()


def _enhanced(reader: AudioReader, processor: DryWet, name: str) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield pairs of what was kept and what was removed."""
    position = 0
    for block in reader.blocks(round(BLOCK_S * reader.info.sample_rate)):
        if processor.nonfinite == "raise":
            check_finite(block, position, reader.info.sample_rate, name)
        position += block.shape[1]
        yield processor.split(block)
    yield processor.flush_split()


def check_finite(block: FloatArray, position: int, sample_rate: int, name: str) -> None:
    """Raise ``InvalidAudioError`` that tells where the first NaN or infinity is, if there is one."""
    found = find_nonfinite(block)
    if found is None:
        return
    _, channel, index = found
    sample = position + index
    raise InvalidAudioError(
        f"{name} holds NaN or infinite samples, the first at {sample / sample_rate:.3f} s (sample {sample}, channel "
        f"{channel}): mend them, or have them replaced by silence with --nonfinite silence "
        '(in Python Enhancer(nonfinite="silence"))'
    )


def _report(
    job: FileJob,
    reader: AudioReader,
    writer: AudioWriter,
    processor: DryWet,
    reached: Normalization | None,
    elapsed_s: float,
) -> FileReport:
    warnings = [*reader.warnings, *writer.warnings]
    if reached is not None and reached.problem is not None:
        warnings.append(f"{job.destination_name}: {reached.problem}")
    if processor.nonfinite_samples:
        warnings.append(
            f"{job.source_name} has {processor.nonfinite_samples} NaN or infinite samples: replaced by silence"
        )
    if writer.clipped_samples:
        warnings.append(f"{job.destination_name} has {writer.clipped_samples} samples that were clipped at full scale")
    return FileReport(
        source=job.source_name,
        destination=job.destination_name,
        seconds=reader.position / reader.info.sample_rate,
        elapsed_s=elapsed_s,
        sample_rate=reader.info.sample_rate,
        channels=reader.info.channels,
        warnings=tuple(dict.fromkeys(warnings)),
        normalization=reached,
        strength_over_time=_strength_over_time(processor),
    )


def _strength_over_time(processor: Processor) -> StrengthOverTime | None:
    """Return that of the first mix in a processor whose strength follows the audio."""
    own = processor.strength_over_time if isinstance(processor, DryWet) else None
    parts = processor.processors if isinstance(processor, Chain) else ()
    if isinstance(processor, DryWet):
        parts = (processor.processor,)
    return next((found for part in parts if (found := _strength_over_time(part)) is not None), own)


def _name(place: SourceLike | DestinationLike) -> str:
    if isinstance(place, (str, os.PathLike)):
        return os.fspath(place)
    return "the given bytes" if isinstance(place, bytes) else str(getattr(place, "name", "the given stream"))
