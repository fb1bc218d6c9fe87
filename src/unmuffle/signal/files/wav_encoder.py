"""Writes WAV, RF64 when it grows beyond 4 GB, and headerless samples.

A RIFF header counts bytes in 32 bits. Room for the 64-bit counts of RF64 (EBU Tech 3306) is kept behind the
first header, so a file becomes RF64 at its end if it must, and stays plain WAV otherwise. In a stream that
cannot go back, the sizes are left at their largest value, which readers of pipes take as "to the end".
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from unmuffle.signal.files.info import AudioInfo
from unmuffle.signal.files.layouts import mask_of_layout
from unmuffle.signal.files.raw import RawFormat
from unmuffle.signal.files.samples import SAMPLE_BYTES, Block, encode_pcm
from unmuffle.signal.files.wav_header import INFO_KEYS, UNKNOWN_SIZE

_LARGEST_RIFF = 0xFFFFFFFF
_DS64_BYTES = 28
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_INFO_NAMES = {key: name for name, key in reversed(INFO_KEYS.items())}


class PcmEncoder:
    """Writer of interleaved samples without a header.

    Parameters
    ----------
    stream : BinaryIO
        Where they go.
    raw : RawFormat
        Their layout.
    """

    keeps_nan = False

    def __init__(self, stream: BinaryIO, raw: RawFormat) -> None:
        self._stream = stream
        self._sample_format = raw.base_format
        self._big_endian = raw.big_endian
        self.keeps_nan = raw.base_format.startswith("f")
        self.written = 0

    def write(self, block: Block) -> int:
        """Write a block, shape [channels, n]; gives the number of clipped samples."""
        data, clipped = encode_pcm(block, self._sample_format, big_endian=self._big_endian)
        self._stream.write(data)
        self.written += len(data)
        return clipped

    def finish(self) -> None:
        """Flush."""
        self._stream.flush()

    def discard(self) -> None:
        """Nothing to let go of: the stream belongs to the target."""


class WavEncoder(PcmEncoder):
    """Writer of a WAV file or stream.

    Parameters
    ----------
    stream : BinaryIO
        Where it goes.
    info : AudioInfo
        Rate, channels, layout, sample format and tags.
    can_go_back : bool
        Whether the sizes can be filled in at the end.
    """

    def __init__(self, stream: BinaryIO, info: AudioInfo, *, can_go_back: bool) -> None:
        order = "" if info.sample_format == "u8" else "le"
        super().__init__(stream, RawFormat(info.sample_format + order, info.sample_rate, info.channels))
        self._info = info
        self._can_go_back = can_go_back
        self._start = stream.tell() if can_go_back else 0
        self._head_bytes = stream.write(self._header(None))

    def finish(self) -> None:
        """Fill in the sizes."""
        if self.written % 2:
            self._stream.write(b"\0")
        if self._can_go_back:
            self._stream.seek(self._start)
            self._stream.write(self._header(self.written))
            self._stream.seek(0, 2)
        super().finish()

    def _header(self, data_bytes: int | None) -> bytes:
        frame_bytes = SAMPLE_BYTES[self._info.sample_format] * self._info.channels
        body = _fmt_chunk(self._info)
        if self._info.sample_format.startswith("f"):
            frames = 0 if data_bytes is None else min(data_bytes // frame_bytes, UNKNOWN_SIZE)
            body += _chunk(b"fact", struct.pack("<I", frames))
        body += _info_chunk(self._info.tags)
        total = 4 + 8 + _DS64_BYTES + len(body) + 8
        if data_bytes is None:
            return _head(b"RIFF", UNKNOWN_SIZE, b"JUNK", bytes(_DS64_BYTES), body, UNKNOWN_SIZE)
        total += data_bytes + data_bytes % 2
        if total <= _LARGEST_RIFF:
            return _head(b"RIFF", total, b"JUNK", bytes(_DS64_BYTES), body, data_bytes)
        long_sizes = struct.pack("<QQQI", total, data_bytes, data_bytes // frame_bytes, 0)
        return _head(b"RF64", UNKNOWN_SIZE, b"ds64", long_sizes, body, UNKNOWN_SIZE)


def _head(form: bytes, total: int, room_name: bytes, room: bytes, body: bytes, data_bytes: int) -> bytes:
    start = form + struct.pack("<I", total) + b"WAVE"
    return start + _chunk(room_name, room) + body + b"data" + struct.pack("<I", data_bytes)


def _fmt_chunk(info: AudioInfo) -> bytes:
    width = SAMPLE_BYTES[info.sample_format]
    tag = 3 if info.sample_format.startswith("f") else 1
    mask = mask_of_layout(info.layout)
    extensible = info.channels > 2
    align = width * info.channels
    byte_rate = min(info.sample_rate * align, UNKNOWN_SIZE)
    head = 0xFFFE if extensible else tag
    body = struct.pack("<HHIIHH", head, info.channels, info.sample_rate, byte_rate, align, 8 * width)
    if extensible:
        body += struct.pack("<HHIH", 22, 8 * width, mask, tag) + _GUID_TAIL
    return _chunk(b"fmt ", body)


def _info_chunk(tags: dict[str, str]) -> bytes:
    body = b""
    for key, text in tags.items():
        name = _INFO_NAMES.get(key)
        if name:
            body += _chunk(name.encode(), text.encode() + b"\0")
    return _chunk(b"LIST", b"INFO" + body) if body else b""


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
