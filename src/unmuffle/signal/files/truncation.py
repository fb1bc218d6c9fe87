"""Whether a file ends before its own structure says it does, told without decoding it.

Sources: AIFF 1.3 (Apple, 1989), the AU header of <audio.h>, Sony Wave64, ISO/IEC 14496-12 (boxes), RFC 8794
(EBML), RFC 3533 (Ogg pages).
"""

from __future__ import annotations

import struct
from typing import BinaryIO, cast

from unmuffle.signal.files.source import Source

_TAIL = 128 * 1024
_EBML_SEGMENT = b"\x18\x53\x80\x67"
_LAST_PAGE_FLAG = 4


def missing_bytes(source: Source) -> int:
    """How many bytes the header of an AIFF, AU or W64 file promises beyond the end of the file."""
    size, head = source.size(), source.head
    if size is None or len(head) < 24:
        return 0
    told = 0
    if head[:4] == b"FORM":
        told = int(struct.unpack(">I", head[4:8])[0]) + 8
    elif head[:4] == b".snd":
        start, length = struct.unpack(">II", head[4:12])
        told = 0 if length == 0xFFFFFFFF else start + length
    elif head[:4] == b"riff":
        told = int(struct.unpack("<Q", head[16:24])[0])
    return max(0, told - size)


def is_cut_short(source: Source, container: str) -> bool:
    """Whether an MP4, Matroska or Ogg file breaks off."""
    size = source.size()
    if size is None:
        return False
    stream = cast("BinaryIO", source.stream)
    here = stream.tell()
    try:
        if container in ("mp4", "m4a", "mov"):
            return _boxes_overrun(stream, size)
        if container in ("mkv", "webm"):
            return _segment_overruns(source.head, size)
        if container == "ogg":
            return _ogg_lacks_last_page(stream, size)
        return False
    finally:
        stream.seek(here)


def _boxes_overrun(stream: BinaryIO, size: int) -> bool:
    at = 0
    while at + 8 <= size:
        stream.seek(at)
        head = stream.read(16)
        length = int(struct.unpack(">I", head[:4])[0])
        if length == 1 and len(head) == 16:
            length = int(struct.unpack(">Q", head[8:16])[0])
        if length == 0:
            return False
        if length < 8:
            return True
        at += length
    return at != size


def _segment_overruns(head: bytes, size: int) -> bool:
    at = head.find(_EBML_SEGMENT)
    if at < 0 or at + 12 > len(head):
        return False
    first = head[at + 4]
    width = 9 - first.bit_length()
    raw = int.from_bytes(head[at + 4 : at + 4 + width], "big")
    length = raw & ((1 << (7 * width)) - 1)
    unknown = length == (1 << (7 * width)) - 1
    return not unknown and at + 4 + width + length > size


def _ogg_lacks_last_page(stream: BinaryIO, size: int) -> bool:
    stream.seek(max(0, size - _TAIL))
    tail = stream.read(_TAIL)
    at = tail.rfind(b"OggS")
    return at >= 0 and at + 6 <= len(tail) and not tail[at + 5] & _LAST_PAGE_FLAG
