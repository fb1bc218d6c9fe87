"""A clip's audio as a file at hand: where it lies, or a copy of what lies in an archive or behind a URL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from unmuffle.corpus.clip import Clip, Member
from unmuffle.corpus.remote import is_url, open_url
from unmuffle.enhancer.noise_sample import read_span
from unmuffle.errors import AudioFileError, InvalidAudioError
from unmuffle.signal.files import open_reader, open_writer
from unmuffle.signal.files.targets import told_as

_COPY_BYTES = 1 << 20


@contextmanager
def audio_at_hand(clip: Clip, scratch: Path) -> Iterator[Path]:
    """Give a path of the audio that a clip is; a copy is removed at the end.

    Parameters
    ----------
    clip : Clip
    scratch : Path
        A name, without extension, that is free.

    Raises
    ------
    AudioFileError
        If the audio cannot be read.
    InvalidAudioError
        If it ends before the clip begins.
    """
    copied = scratch.with_name(f"{scratch.name}.source{_suffix(clip)}")
    cut = scratch.with_name(f"{scratch.name}.cut.wav")
    try:
        whole = Path(clip.source)
        if clip.member is not None or is_url(clip.source):
            _copy(clip, copied)
            whole = copied
        if clip.span_s is None:
            yield whole
        else:
            _cut(clip, whole, clip.span_s, cut)
            yield cut
    finally:
        copied.unlink(missing_ok=True)
        cut.unlink(missing_ok=True)


def _suffix(clip: Clip) -> str:
    return Path(clip.source if clip.member is None else clip.member.name).suffix.lower()


def _copy(clip: Clip, copied: Path) -> None:
    try:
        with _opened(clip.source) as source, told_as(str(copied)), copied.open("wb") as target:
            if clip.member is None:
                shutil.copyfileobj(source, target, _COPY_BYTES)
            else:
                _copy_member(clip, clip.member, source, target)
    except OSError as error:
        raise AudioFileError(f"{clip.source} cannot be read: {error.strerror or error}") from error


def _opened(source: str) -> BinaryIO:
    return open_url(source) if is_url(source) else Path(source).open("rb")


def _copy_member(clip: Clip, member: Member, archive: BinaryIO, target: BinaryIO) -> None:
    archive.seek(member.offset)
    left = member.size
    while left and (block := archive.read(min(left, _COPY_BYTES))):
        target.write(block)
        left -= len(block)
    if left:
        raise AudioFileError(f"{clip.source} ends within {member.name}: copy the archive again")


def _cut(clip: Clip, whole: Path, span_s: tuple[float, float], cut: Path) -> None:
    with open_reader(whole) as reader:
        audio = read_span(reader, *span_s)
        if audio.shape[1] == 0:
            raise InvalidAudioError(f"{clip.source} ends before {span_s[0]:g} s, where the clip {clip.key} begins")
        with open_writer(cut, reader.info, overwrite=True) as writer:
            writer.write(audio)
