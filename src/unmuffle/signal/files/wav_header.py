"""The head of a WAV file: RIFF, RF64 and BW64, read forwards only so that a pipe will do.

Sources: Multimedia Programming Interface and Data Specifications 1.0 (IBM and Microsoft, 1991) for RIFF and
its INFO list; EBU Tech 3306 for RF64. Left out: cue points, playlists, `bext` and other chunks that carry
neither samples nor tags.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import BinaryIO

from unmuffle.signal.files.source import PeekedStream, read_up_to

UNKNOWN_SIZE = 0xFFFFFFFF
# Writers that cannot go back leave a size near a limit of signed or unsigned 32-bit numbers.
_STREAM_SIZES = frozenset({0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0})
_STREAM_SIZE_FROM = 0x7FFFF000
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_FORMATS = {
    (_PCM, 1): "u8",
    (_PCM, 2): "s16",
    (_PCM, 3): "s24",
    (_PCM, 4): "s32",
    (_FLOAT, 4): "f32",
    (_FLOAT, 8): "f64",
}
_MAX_TAG_BYTES = 1 << 20

INFO_KEYS = {
    "INAM": "title",
    "IART": "artist",
    "IPRD": "album",
    "ICRD": "date",
    "ICMT": "comment",
    "IGNR": "genre",
    "ICOP": "copyright",
    "IPRT": "track",
    "ITRK": "track",
    "ILNG": "language",
}


class NotPlainWavError(ValueError):
    """A WAV file that holds something else than PCM or floating-point samples, or whose head is damaged."""


@dataclass
class WavHeader:
    """What stands before the samples.

    Attributes
    ----------
    sample_format : str
        ``"u8"`` ... ``"f64"``.
    sample_rate, channels, mask : int
        Rate in Hz, channel count and speaker mask (0 where none is given).
    data_start : int
        Offset of the first sample in bytes.
    data_bytes : int or None
        Bytes of samples as the header tells it; None where the writer could not know.
    tags : dict of str to str
        What the INFO list says.
    """

    sample_format: str
    sample_rate: int
    channels: int
    mask: int
    data_start: int
    data_bytes: int | None
    tags: dict[str, str] = field(default_factory=dict)


def parse_wav_header(stream: BinaryIO | PeekedStream) -> WavHeader:
    """Read up to the first sample.

    Raises
    ------
    NotPlainWavError
        When the samples are not plain PCM or floats, or the header breaks off.
    """
    riff = _read(stream, 12)
    position = 12
    long_bytes: int | None = None
    tags: dict[str, str] = {}
    layout: tuple[str, int, int, int] | None = None
    while True:
        name, size = struct.unpack("<4sI", _read(stream, 8))
        position += 8
        if name == b"data":
            if layout is None:
                raise NotPlainWavError("the samples come before their description")
            known = _data_bytes(size, long_bytes if riff[:4] != b"RIFF" else None)
            return WavHeader(*layout, data_start=position, data_bytes=known, tags=tags)
        if size > _MAX_TAG_BYTES:
            _skip(stream, size + size % 2)
        else:
            body = _read(stream, size + size % 2)[:size]
            if name == b"fmt ":
                layout = _parse_fmt(body)
            elif name == b"ds64" and size >= 16:
                long_bytes = struct.unpack("<Q", body[8:16])[0]
            elif name == b"LIST":
                tags.update(parse_info_list(body))
        position += size + size % 2


def parse_info_list(body: bytes) -> dict[str, str]:
    """Tags in the body of a LIST chunk; empty when it is not an INFO list."""
    tags: dict[str, str] = {}
    if body[:4] != b"INFO":
        return tags
    at = 4
    while at + 8 <= len(body):
        name, size = struct.unpack("<4sI", body[at : at + 8])
        key = INFO_KEYS.get(name.decode("latin-1"))
        text = _text(body[at + 8 : at + 8 + size])
        if key and text:
            tags[key] = text
        at += 8 + size + size % 2
    return tags


def tags_after(stream: BinaryIO, position: int) -> dict[str, str]:
    """Tags in the chunks from `position` on, where many writers put them."""
    tags: dict[str, str] = {}
    stream.seek(position)
    while len(head := stream.read(8)) == 8:
        name, size = struct.unpack("<4sI", head)
        if name == b"LIST" and size <= _MAX_TAG_BYTES:
            tags.update(parse_info_list(stream.read(size)))
            stream.seek(size % 2, 1)
        else:
            stream.seek(size + size % 2, 1)
    return tags


def _parse_fmt(body: bytes) -> tuple[str, int, int, int]:
    if len(body) < 16:
        raise NotPlainWavError("the description of the samples breaks off")
    tag, channels, rate, _, align, _ = struct.unpack("<HHIIHH", body[:16])
    mask = 0
    if tag == _EXTENSIBLE and len(body) >= 26:
        mask, tag = struct.unpack("<IH", body[20:26])
    width = align // channels if channels else 0
    sample_format = _FORMATS.get((tag, width))
    if sample_format is None or rate == 0 or width * channels != align:
        raise NotPlainWavError(f"format tag {tag} with {width} bytes a sample is not plain PCM")
    return sample_format, rate, channels, mask


def _data_bytes(size: int, long_bytes: int | None) -> int | None:
    if long_bytes is not None and size == UNKNOWN_SIZE:
        return long_bytes or None
    return None if size in _STREAM_SIZES or _STREAM_SIZE_FROM <= size < 1 << 31 else size


def _text(raw: bytes) -> str:
    raw = raw.split(b"\0")[0].strip()
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _read(stream: BinaryIO | PeekedStream, size: int) -> bytes:
    data = read_up_to(stream, size)
    if len(data) < size:
        raise NotPlainWavError("the header breaks off")
    return data


def _skip(stream: BinaryIO | PeekedStream, size: int) -> None:
    while size > 0:
        size -= len(_read(stream, min(size, _MAX_TAG_BYTES)))
