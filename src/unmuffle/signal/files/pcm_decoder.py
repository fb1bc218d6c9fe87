"""Reads plain PCM and floating-point samples: WAV, RF64, BW64 and headerless, from files and from pipes."""

from __future__ import annotations

import os
from typing import BinaryIO, cast

import numpy as np

from unmuffle.signal.files.decoder import CannotDecodeError, truncation_warning
from unmuffle.signal.files.info import AudioInfo
from unmuffle.signal.files.layouts import layout_of_mask, usual_layout
from unmuffle.signal.files.raw import RawFormat
from unmuffle.signal.files.samples import SAMPLE_BYTES, Block, decode_pcm
from unmuffle.signal.files.source import Source, read_up_to
from unmuffle.signal.files.wav_header import NotPlainWavError, WavHeader, parse_wav_header, tags_after


class PcmDecoder:
    """Decoder of interleaved PCM frames that follow one another to the end."""

    def __init__(self, source: Source, info: AudioInfo, *, told_frames: int | None, big_endian: bool = False) -> None:
        self.info = info
        self.warnings: list[str] = []
        self._source = source
        self._big_endian = big_endian
        self._frame_bytes = SAMPLE_BYTES[info.sample_format] * info.channels
        self._told = told_frames
        self._got = 0
        self._ended = False

    @classmethod
    def open_wav(cls, source: Source) -> PcmDecoder:
        """Read the head of a WAV file.

        Raises
        ------
        CannotDecodeError
            When it holds no plain PCM, or its head is damaged.
        """
        source.rewind()
        try:
            header = parse_wav_header(source.stream)
        except NotPlainWavError as error:
            raise CannotDecodeError(str(error)) from error
        frame_bytes = SAMPLE_BYTES[header.sample_format] * header.channels
        told = None if header.data_bytes is None else header.data_bytes // frame_bytes
        size = source.size()
        frames = told if size is None else (size - header.data_start) // frame_bytes
        if told is not None and frames is not None:
            frames = min(told, frames)
        decoder = cls(source, _wav_info(source, header, frames, size), told_frames=told)
        if told is None and size is not None and not _written_by_a_pipe(source):
            decoder.warnings.append(f"{source.name} was not closed by its writer: it is read to its end")
        return decoder

    @classmethod
    def open_raw(cls, source: Source, raw: RawFormat) -> PcmDecoder:
        """Read headerless samples laid out as `raw` says."""
        source.rewind()
        base = raw.base_format
        size = source.size()
        frames = None if size is None else size // (SAMPLE_BYTES[base] * raw.channels)
        info = AudioInfo(
            sample_rate=raw.sample_rate,
            channels=raw.channels,
            layout=usual_layout(raw.channels) if raw.channels <= 2 else "unknown",
            sample_format=base,
            frames=frames,
            container="raw",
            codec=f"pcm_{raw.sample_format}",
            bit_rate=raw.sample_rate * raw.channels * SAMPLE_BYTES[base] * 8,
        )
        return cls(source, info, told_frames=None, big_endian=raw.big_endian)

    def read_chunk(self, frames: int) -> Block:
        """Give `frames` samples, shape [channels, n]; fewer only at the end."""
        if self._ended:
            return np.zeros((self.info.channels, 0), dtype=np.float32)
        if self._told is not None:
            frames = min(frames, self._told - self._got)
        data = read_up_to(self._source.stream, frames * self._frame_bytes)
        whole = len(data) // self._frame_bytes
        self._got += whole
        if whole < frames:
            self._end()
        usable = memoryview(data)[: whole * self._frame_bytes]
        return decode_pcm(
            cast("bytes", usable), self.info.sample_format, self.info.channels, big_endian=self._big_endian
        )

    def skip(self, frames: int) -> int:
        """Jump over `frames` samples if they are there, and return how many were skipped: all or none."""
        there = self.info.frames
        if not self._source.seekable or there is None or self._got + frames > there:
            return 0
        cast("BinaryIO", self._source.stream).seek(frames * self._frame_bytes, os.SEEK_CUR)
        self._got += frames
        return frames

    def close(self) -> None:
        """Nothing but the source was opened, and that is its owner's."""

    def _end(self) -> None:
        self._ended = True
        if self._told is not None and self._got < self._told:
            rate = self.info.sample_rate
            self.warnings.append(truncation_warning(self._source.name, self._got, self._told, rate))


def _wav_info(source: Source, header: WavHeader, frames: int | None, size: int | None) -> AudioInfo:
    tags = dict(header.tags)
    if size is not None and header.data_bytes is not None:
        stream = cast("BinaryIO", source.stream)
        tags.update(tags_after(stream, header.data_start + header.data_bytes + header.data_bytes % 2))
        stream.seek(header.data_start)
    sample_format = header.sample_format
    return AudioInfo(
        sample_rate=header.sample_rate,
        channels=header.channels,
        layout=layout_of_mask(header.mask, header.channels),
        sample_format=sample_format,
        frames=frames,
        container="wav",
        codec=f"pcm_{sample_format}" if sample_format == "u8" else f"pcm_{sample_format}le",
        bit_rate=header.sample_rate * header.channels * SAMPLE_BYTES[sample_format] * 8,
        tags=tags,
    )


def _written_by_a_pipe(source: Source) -> bool:
    """Whether its writer could not go back and said so, where a file that was never closed has sizes of 0."""
    return source.head[4:8] in (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f")
