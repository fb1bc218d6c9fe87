"""Opening a destination: which target, which encoder, and what must not be overwritten."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
from pathlib import Path
from typing import BinaryIO, TypeAlias

from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.signal.files.containers import CONTAINERS, Container
from unmuffle.signal.files.info import AudioInfo
from unmuffle.signal.files.plan import WritePlan, container_for, plan_writing
from unmuffle.signal.files.raw import RawFormat
from unmuffle.signal.files.source import SourceLike
from unmuffle.signal.files.targets import (
    AtomicFile,
    CopiedFile,
    StreamTarget,
    Target,
    refuse_existing,
    told_as,
)
from unmuffle.signal.files.wav_encoder import PcmEncoder, WavEncoder
from unmuffle.signal.files.writer import AudioWriter, Encoder

DestinationLike: TypeAlias = "str | os.PathLike[str] | BinaryIO"


def open_writer(
    destination: DestinationLike,
    info: AudioInfo,
    *,
    source: SourceLike | None = None,
    overwrite: bool = False,
    raw: RawFormat | None = None,
    container: str | None = None,
    allow_in_place: bool = False,
) -> AudioWriter:
    """Open a destination for writing in blocks.

    Rate, channels, layout, sample format, codec, bit rate and tags are the source's as far as the
    destination can hold them; what it cannot hold is told in ``.warnings``. A file is written under a hidden
    name in the destination's folder and takes its place only when it is whole.

    Parameters
    ----------
    destination : str, path or binary file object
        ``"-"`` is standard output. The kind of file follows the extension; streams get WAV unless told
        otherwise.
    info : AudioInfo
        What `open_reader` told of the source. Blocks have its rate and its channels.
    source : str, path or bytes, optional
        The source itself: its picture, subtitles, other audio tracks, chapters and cover art are copied bit
        for bit where the destination can hold them.
    overwrite : bool, default False
        Replace a file that is already there.
    raw : RawFormat, optional
        Write headerless samples of this layout.
    container : str, optional
        Kind of file, as an extension such as ``"flac"``, in place of the destination's own extension.
    allow_in_place : bool, default False
        Let the destination be the source itself.

    Returns
    -------
    AudioWriter
        The opened destination.

    Raises
    ------
    OutputExistsError
        When there is a file already and `overwrite` is False.
    AudioFileError
        When the destination is the source, cannot hold the audio or the picture, or cannot be written.
    InvalidParameterError
        When `raw` has other channels or another rate than `info`.
    """
    if raw is not None and (raw.channels, raw.sample_rate) != (info.channels, info.sample_rate):
        raise InvalidParameterError(
            f"raw output of {raw.channels} channel(s) at {raw.sample_rate} Hz does not fit audio of "
            f"{info.channels} channel(s) at {info.sample_rate} Hz: they must be the same"
        )
    place = _resolve(destination)
    kind = _kind(place, container, raw)
    if place.path is not None:
        _refuse_source(place.path, source, allow_in_place)
        if not (overwrite or allow_in_place):
            refuse_existing(place.path, place.name)
    plan = plan_writing(place.name, kind, info)
    target = _target(place, kind, overwrite=overwrite or allow_in_place)
    warnings = list(plan.warnings)
    try:
        with told_as(place.name):
            encoder = _encoder(target, plan, info, source, raw, warnings)
    except BaseException:
        target.abort()
        raise
    return AudioWriter(_written_info(info, plan, raw), target, encoder, warnings)


@dataclasses.dataclass(frozen=True)
class _Place:
    """A destination: a file to be, or a stream."""

    name: str
    path: Path | None = None
    stream: BinaryIO | None = None
    owned: bool = False
    can_go_back: bool = False


def _resolve(destination: DestinationLike) -> _Place:
    if isinstance(destination, str) and destination == "-":
        return _Place("standard output", stream=sys.stdout.buffer)
    if not isinstance(destination, (str, os.PathLike)):
        if not hasattr(destination, "write"):
            kind = type(destination).__name__
            raise AudioFileError(f"cannot write to {kind}: give a path or a binary file object")
        name = getattr(destination, "name", None)
        seekable = bool(getattr(destination, "seekable", lambda: False)())
        return _Place(name if isinstance(name, str) else "the given stream", stream=destination, can_go_back=seekable)
    path = Path(destination)
    if path.is_dir():
        raise AudioFileError(f"{path} is a folder: name the file to write in it")
    if path.exists() and not path.is_file():
        # A device or a pipe is written to, never replaced.
        with told_as(str(path)):
            return _Place(str(path), stream=path.open("wb"), owned=True)
    return _Place(str(path), path=path)


def _kind(place: _Place, container: str | None, raw: RawFormat | None) -> Container:
    if raw is not None:
        return dataclasses.replace(container_for("x.wav"), suffix="raw")
    if container is not None:
        return container_for(f"x.{container.lstrip('.')}")
    if place.path is None and Path(place.name).suffix.lower().lstrip(".") not in CONTAINERS:
        return container_for("x.wav")
    return container_for(place.name)


def _refuse_source(path: Path, source: SourceLike | None, allow_in_place: bool) -> None:
    if allow_in_place or not isinstance(source, (str, os.PathLike)) or source == "-":
        return
    with contextlib.suppress(OSError):
        # Sees through links, and through upper and lower case where the file system does not tell them apart.
        if path.samefile(source):
            raise AudioFileError(f"{path} is the source itself: write to another name")


def _target(place: _Place, kind: Container, *, overwrite: bool) -> Target:
    if place.path is not None:
        return AtomicFile(place.path, kind.suffix, overwrite=overwrite)
    assert place.stream is not None  # noqa: S101 (a place is a path or a stream)
    stream = StreamTarget(place.stream, place.name, owned=place.owned, can_go_back=place.can_go_back)
    return stream if kind.backend == "wav" else CopiedFile(stream, kind.suffix)


def _encoder(
    target: Target,
    plan: WritePlan,
    info: AudioInfo,
    source: SourceLike | None,
    raw: RawFormat | None,
    warnings: list[str],
) -> Encoder:
    if not isinstance(target, CopiedFile) and plan.container.backend == "wav":
        stream = target.stream if isinstance(target, StreamTarget) else target.open()
        if raw is not None:
            return PcmEncoder(stream, raw)
        return WavEncoder(stream, info, can_go_back=isinstance(target, AtomicFile) or target.can_go_back)
    assert not isinstance(target, StreamTarget)  # noqa: S101 (`_target` puts a file before it)
    if plan.container.backend == "sndfile" or plan.codec == "vorbis":
        from unmuffle.signal.files.sndfile_encoder import SndfileEncoder

        return SndfileEncoder(target.path, plan, info)
    from unmuffle.signal.files.av_encoder import open_av_encoder

    return open_av_encoder(target.path, target.name, plan, info, source, warnings)


def _written_info(info: AudioInfo, plan: WritePlan, raw: RawFormat | None) -> AudioInfo:
    return dataclasses.replace(
        info,
        container=plan.container.suffix,
        codec=f"pcm_{raw.sample_format}" if raw is not None else plan.codec,
        sample_format=raw.base_format if raw is not None else plan.sample_format,
        sample_rate=plan.sample_rate,
        bit_rate=plan.bit_rate,
        frames=None,
    )
