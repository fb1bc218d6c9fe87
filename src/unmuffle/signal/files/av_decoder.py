"""Reads what FFmpeg's libraries know: MP3, M4A, Opus, FLAC, Ogg, WebM, MP4, MOV, MKV, WMA, AMR, AC-3, ..."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator
from typing import Any

import av
import numpy as np

from unmuffle.errors import AudioFileError
from unmuffle.signal.files.av_frames import frame_to_block, needs_packing, packer
from unmuffle.signal.files.av_streams import codec_name, describe, main_audio, open_input
from unmuffle.signal.files.decoder import CannotDecodeError, truncation_warning
from unmuffle.signal.files.info import is_lossy
from unmuffle.signal.files.samples import Block
from unmuffle.signal.files.source import Source
from unmuffle.signal.files.truncation import is_cut_short

# Clocks of some containers count in milliseconds: a gap must be clearly more than their rounding.
_SMALLEST_GAP_S = 0.05
_LARGEST_GAP_S = 3600.0
_HEAD_PACKETS = 100
_SILENCE_FRAMES = 65536
_LENGTH_TOLERANCE_S = 0.1


class AvDecoder:
    """Decoder of the main audio stream of a container.

    Raises
    ------
    CannotDecodeError
        When no demuxer or decoder knows it.
    AudioFileError
        When it has a picture but no audio.
    """

    def __init__(self, source: Source) -> None:
        self.warnings: list[str] = []
        self._source = source
        self._container = open_input(source)
        try:
            self._stream = self._find_audio()
            if codec_name(self._stream) == "flac":
                # Otherwise a frame with a wrong checksum is handed on, as a burst of noise.
                self._stream.codec_context.options = {"err_detect": "crccheck+explode"}
            self._converters: dict[tuple[int, str], Any] = {}
            self._damaged = 0
            self._got = 0
            self._chunks = self._decode()
            self._first = next(self._chunks, None)
            if self._first is None:
                self._refuse_empty()
        except BaseException:
            self._container.close()
            raise

    def read_chunk(self, frames: int) -> Block:
        """Give the next decoded frame, shape [channels, n]; `frames` is not needed for that."""
        del frames
        if self._first is not None:
            chunk, self._first = self._first, None
            return chunk
        for chunk in self._chunks:
            return chunk
        return np.zeros((self.info.channels, 0), dtype=np.float32)

    def skip(self, frames: int) -> int:
        """Jump over `frames` samples where that is exact, and return how many were skipped: all or none."""
        if not self._jumps or self._first is not None:
            return 0
        target = self._got + frames
        self._chunks.close()
        # A jump that leads too far is taken back: from the beginning on, all that is before is left out.
        for place in (target, 0):
            found = self._frames_at(place)
            first = next(found, None)
            at = 0 if place == 0 or first is None or first.pts is None else first.pts - self._first_frame.pts
            if place == 0 or 0 < at <= target:
                break
        self._got = at
        self._chunks = self._blocks(itertools.chain([] if first is None else [first], found), left_out=target - at)
        return frames

    def close(self) -> None:
        """Close the container."""
        self._chunks.close()
        self._container.close()

    def _find_audio(self) -> Any:
        stream = main_audio(self._container)
        if stream is not None:
            return stream
        if self._container.streams.video:
            raise AudioFileError(f"{self._source.name} has a picture but no audio: there is nothing to enhance")
        raise CannotDecodeError("no audio stream in it")

    def _refuse_empty(self) -> None:
        if self._damaged:
            raise CannotDecodeError("none of its audio can be decoded")
        raise AudioFileError(f"{self._source.name} has no samples: the audio in it is 0 s long")

    def _decode(self) -> Generator[Block, None, None]:
        frames = self._frames()
        first = next(frames, None)
        if first is None:
            return
        self._first_frame = first
        self.info = describe(self._source, self._container, self._head, first)
        lossless = not is_lossy(self.info.codec)
        self._fill_gaps = self.info.has_video or lossless
        self._origin = _seconds_of(first)
        # What a lossy codec makes of a frame depends on frames before; and times must be told in samples, which the
        # pages of Ogg do for some frames only.
        counted = first.pts is not None and first.time_base * self.info.sample_rate == 1
        self._jumps = lossless and counted and self.info.container != "ogg" and not self.info.has_video
        yield from self._blocks(itertools.chain([first], frames))

    def _blocks(self, frames: Iterator[Any], left_out: int = 0) -> Generator[Block, None, None]:
        """Yield what frames hold, but for so many samples at the beginning."""
        for frame in frames:
            for block in self._of_frame(frame):
                self._got += block.shape[1]
                kept = block[:, left_out:]
                left_out -= block.shape[1] - kept.shape[1]
                if kept.shape[1]:
                    yield kept
        self._report_end()

    def _of_frame(self, frame: Any) -> Iterator[Block]:
        yield from self._silence_before(frame)
        for piece in self._alike(frame, self._first_frame):
            yield frame_to_block(piece)

    def _frames_at(self, place: int) -> Iterator[Any]:
        """Yield frames from a sample on, or from before it."""
        try:
            self._container.seek(self._first_frame.pts + place, stream=self._stream)
        except av.error.FFmpegError:
            return
        for packet in self._packets():
            yield from self._decoded(packet)

    def _alike(self, frame: Any, first: Any) -> list[Any]:
        """Bring a frame to the rate and channels of the first, which a broadcast may change on the way."""
        shape = (frame.sample_rate, frame.layout.name)
        changed = shape != (first.sample_rate, first.layout.name)
        if shape not in self._converters:
            if changed:
                self.warnings.append(f"{self._source.name} changes its format at {self._seconds():.1f} s: converted")
            self._converters[shape] = packer(first) if changed or needs_packing(frame) else None
        converter = self._converters[shape]
        return [frame] if converter is None else list(converter.resample(frame))

    def _frames(self) -> Iterator[Any]:
        packets = self._packets()
        # Where the container does not tell the bit rate, some packets do.
        self._head = list(itertools.islice(packets, 1 if self._stream.bit_rate else _HEAD_PACKETS))
        for packet in itertools.chain(self._head, packets):
            yield from self._decoded(packet)

    def _decoded(self, packet: Any) -> list[Any]:
        try:
            return list(packet.decode())
        except av.error.FFmpegError:
            self._damaged += 1
            return []
        except ValueError as error:
            # So PyAV 19 tells that there is no decoder at all.
            raise CannotDecodeError(str(error)) from error

    def _packets(self) -> Iterator[Any]:
        try:
            yield from self._container.demux(self._stream)
        except av.error.FFmpegError as error:
            self.warnings.append(f"{self._source.name} breaks off after {self._seconds():.1f} s: {error.strerror}")

    def _silence_before(self, frame: Any) -> Iterator[Block]:
        at = _seconds_of(frame)
        if not self._fill_gaps or at is None or self._origin is None:
            return
        gap = at - self._origin - self._seconds()
        if not _SMALLEST_GAP_S < gap < _LARGEST_GAP_S:
            return
        self.warnings.append(
            f"the audio of {self._source.name} has a gap of {gap:.2f} s at {self._seconds():.1f} s: filled with silence"
        )
        missing = round(gap * self.info.sample_rate)
        while missing > 0:
            frames = min(missing, _SILENCE_FRAMES)
            missing -= frames
            yield np.zeros((self.info.channels, frames), dtype=np.float32)

    def _report_end(self) -> None:
        name, rate, told = self._source.name, self.info.sample_rate, self.info.frames
        if self._damaged:
            self.warnings.append(f"{name} has {self._damaged} damaged packet(s): they were left out")
        cut = is_cut_short(self._source, self.info.container)
        tolerance = _LENGTH_TOLERANCE_S * rate if is_lossy(self.info.codec) else 0
        if told is not None and self._got + tolerance < told:
            self.warnings.append(truncation_warning(name, self._got, told, rate))
        elif cut:
            self.warnings.append(f"{name} breaks off after {self._seconds():.1f} s: what is there was read")

    def _seconds(self) -> float:
        return self._got / self.info.sample_rate if self._got else 0.0


def _seconds_of(frame: Any) -> float | None:
    return None if frame.pts is None else float(frame.pts * frame.time_base)
