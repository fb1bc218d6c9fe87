"""Writes what FFmpeg's libraries encode, alone or beside the copied streams of a source."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from unmuffle.errors import AudioFileError
from unmuffle.signal.fifo import SampleFifo
from unmuffle.signal.files.av_frames import block_to_frame, sample_format_of
from unmuffle.signal.files.containers import LIMITS
from unmuffle.signal.files.info import AudioInfo
from unmuffle.signal.files.layouts import UNKNOWN_LAYOUT, usual_layout
from unmuffle.signal.files.plan import WritePlan
from unmuffle.signal.files.remux import OtherStreams, open_others
from unmuffle.signal.files.samples import Block
from unmuffle.signal.files.source import SourceLike
from unmuffle.signal.resample import Resampler

_PCM_FRAMES = 4096
# Samples that the encoders put before the audio.
_PRIMING = {"aac": 1024, "mp3": 1105, "mp2": 481, "ac3": 256, "eac3": 256}
_FRAME_FORMATS = {"u8": "u8", "s16": "s16", "s24": "s32", "s32": "s32", "f32": "flt", "f64": "dbl"}


class AvEncoder:
    """Writer of one audio stream, and of what is copied beside it.

    Parameters
    ----------
    path : Path
        The file to write.
    plan : WritePlan
        Container, codec, rate, bit rate.
    info : AudioInfo
        Channels, layout, tags, and the start of the audio beside a picture.
    others : OtherStreams, optional
        The source's other streams.

    Raises
    ------
    AudioFileError
        When the encoder or the container refuses.
    OSError
        When the file cannot be written.
    """

    keeps_nan = False

    def __init__(self, path: Path, plan: WritePlan, info: AudioInfo, others: OtherStreams | None) -> None:
        self._plan = plan
        self._info = info
        self._others = others
        self._frame_format = _frame_format(plan)
        self._sample_format = _integer_width(plan, self._frame_format)
        self._resampler: Resampler | None = None
        if plan.sample_rate != info.sample_rate:
            self._resampler = Resampler(info.sample_rate, plan.sample_rate, info.channels)
        self._waiting = SampleFifo(info.channels)
        with _plain_errors(plan):
            self._output: Any = av.open(
                str(path), mode="w", format=plan.container.muxer, options=plan.container.options
            )
            try:
                self._add_streams()
                self._output.start_encoding()
            except BaseException:
                self.discard()
                raise
        self._pts, self._skip = self._alignment()
        self._frame_size = self._stream.codec_context.frame_size or _PCM_FRAMES

    def write(self, block: Block) -> int:
        """Encode a block, shape [channels, n]; gives the number of clipped samples."""
        if self._resampler is not None:
            block = self._resampler.process(block)
        skipped = min(self._skip, block.shape[1])
        self._skip -= skipped
        self._waiting.push(block[:, skipped:])
        return self._drain(self._frame_size)

    def finish(self) -> int:
        """Encode and copy what is left, and write the index; gives the number of clipped samples."""
        clipped = 0
        if self._resampler is not None:
            self._waiting.push(self._resampler.flush())
            clipped += self._drain(self._frame_size)
        clipped += self._drain(1)
        with _plain_errors(self._plan):
            self._mux(self._stream.encode(None))
            if self._others is not None:
                self._others.copy_rest()
            self._output.close()
        self._close_others()
        return clipped

    def discard(self) -> None:
        """Close; whatever goes wrong in that has no meaning any more."""
        with contextlib.suppress(av.error.FFmpegError, OSError, ValueError):
            self._output.close()
        self._close_others()

    def _add_streams(self) -> None:
        self._output.metadata.update(self._info.tags)
        if self._others is None:
            self._stream = self._add_audio()
        else:
            self._stream = self._others.add_to(self._output, self._add_audio)
        if self._plan.container.muxer in ("ogg", "opus"):
            self._stream.metadata.update(self._info.tags)

    def _add_audio(self) -> Any:
        plan = self._plan
        limits = LIMITS.get(plan.codec)
        stream = self._output.add_stream(limits.encoder if limits else plan.codec, rate=plan.sample_rate)
        context = stream.codec_context
        context.format = self._frame_format
        context.layout = _layout(plan.codec, self._info)
        if plan.codec == "opus" and self._info.channels > 2:
            # Without this, five channels come out in another order.
            context.options = {"mapping_family": "1"}
        context.time_base = Fraction(1, plan.sample_rate)
        if plan.bit_rate is not None:
            context.bit_rate = plan.bit_rate
        return stream

    def _alignment(self) -> tuple[int, int]:
        """Time of the first sample beside a picture, and how many samples to leave out for it.

        An encoder puts its own priming before the audio. Where the source's priming is in the samples
        already, because its container cannot trim it, the one takes the place of the other, and nothing
        moves.
        """
        if self._others is None or not self._others.has_picture:
            return 0, 0
        start = round(self._info.start_s * self._plan.sample_rate)
        same = self._info.codec == self._plan.codec and self._info.sample_rate == self._plan.sample_rate
        skip = _PRIMING.get(self._plan.codec, 0) if same and self._info.starts_with_priming else 0
        return start + skip, skip

    def _drain(self, at_least: int) -> int:
        clipped = 0
        with _plain_errors(self._plan):
            while len(self._waiting) >= max(1, at_least):
                clipped += self._encode(self._waiting.pop(min(self._frame_size, len(self._waiting))))
        return clipped

    def _encode(self, block: Block) -> int:
        rate, layout = self._plan.sample_rate, self._stream.codec_context.layout.name
        frame, clipped = block_to_frame(block, self._sample_format, self._frame_format, layout, rate)
        frame.pts = self._pts
        self._pts += block.shape[1]
        self._mux(self._stream.encode(frame))
        return clipped

    def _mux(self, packets: list[Any]) -> None:
        if self._others is not None:
            self._others.copy_until(self._pts / self._plan.sample_rate)
        self._output.mux(packets)

    def _close_others(self) -> None:
        if self._others is not None:
            self._others.close()


def open_av_encoder(
    path: Path, name: str, plan: WritePlan, info: AudioInfo, source: SourceLike | None, warnings: list[str]
) -> AvEncoder:
    """Open an encoder, with the source's other streams beside it as far as the container takes them.

    Parameters
    ----------
    path : Path
        The file to write.
    name : str
        The destination, for messages.
    plan, info : WritePlan, AudioInfo
        How it is written, and what the source is.
    source : path or bytes, optional
        The source.
    warnings : list of str
        Where lines are put about what the destination cannot hold.
    """
    if source is None or plan.container.carries == "none":
        return AvEncoder(path, plan, info, None)
    others = open_others(source, plan.container, name, warnings)
    if others is None:
        return AvEncoder(path, plan, info, None)
    try:
        encoder = AvEncoder(path, plan, info, others)
    except AudioFileError:
        others.close()
        if not others.copies_data:
            raise
        # Data tracks (time codes, telemetry) are often tied to their own container and make the header fail.
        others = open_others(source, plan.container, name, warnings, data=False)
        encoder = AvEncoder(path, plan, info, others)
    if others is not None:
        warnings.extend(others.warnings)
        others.warnings = warnings
    return encoder


def _layout(codec: str, info: AudioInfo) -> str:
    """Layout for the encoder; Opus names only one for each number of channels, in the same order."""
    unknown = info.layout == UNKNOWN_LAYOUT or codec == "opus"
    return usual_layout(info.channels) if unknown else info.layout


def _frame_format(plan: WritePlan) -> str:
    if plan.codec == "alac":
        return "s16p" if plan.sample_format == "s16" else "s32p"
    limits = LIMITS.get(plan.codec)
    if limits is not None and limits.frame_format:
        return limits.frame_format
    return _FRAME_FORMATS[plan.sample_format]


def _integer_width(plan: WritePlan, frame_format: str) -> str:
    """Sample format of what is put into frames: 24-bit samples travel in the upper bytes of 32-bit ones."""
    if plan.sample_format == "s24":
        return "s24"
    return sample_format_of(frame_format)


@contextlib.contextmanager
def _plain_errors(plan: WritePlan) -> Iterator[None]:
    """Turn refusals of an encoder or muxer into our own error; errors of the system pass as they are."""
    try:
        yield
    except OSError:
        raise
    except (av.error.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AudioFileError(f"{plan.codec} in .{plan.container.suffix} cannot be written: {reason}") from error
