"""A clip's audio as a file at hand: where it lies, or a copy of what lies in an archive or behind a URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from unmuffle.corpus.clip import Clip
from unmuffle.corpus.last_source import copy_source, reader_before
from unmuffle.corpus.remote import is_url
from unmuffle.errors import InvalidAudioError
from unmuffle.signal.files import AudioReader, open_writer

_BLOCK_FRAMES = 1 << 20


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
        if clip.span_s is not None:
            with reader_before(clip, clip.span_s[0], scratch.parent) as reader:
                _cut(clip, clip.span_s, reader, cut)
            yield cut
        elif clip.member is not None or is_url(clip.source):
            copy_source(clip, copied)
            yield copied
        else:
            yield Path(clip.source)
    finally:
        copied.unlink(missing_ok=True)
        cut.unlink(missing_ok=True)


def _suffix(clip: Clip) -> str:
    return PurePosixPath(clip.source if clip.member is None else clip.member.name).suffix.lower()


def _cut(clip: Clip, span_s: tuple[float, float], reader: AudioReader, cut: Path) -> None:
    rate = reader.info.sample_rate
    reader.skip(round(span_s[0] * rate) - reader.position)
    left = round((span_s[1] - span_s[0]) * rate)
    block = reader.read(min(left, _BLOCK_FRAMES))
    if block.shape[1] == 0:
        raise InvalidAudioError(f"{clip.source} ends before {span_s[0]:g} s, where the clip {clip.key} begins")
    with open_writer(cut, reader.info, overwrite=True) as writer:
        while block.shape[1]:
            writer.write(block)
            left -= block.shape[1]
            block = reader.read(min(left, _BLOCK_FRAMES))
