"""What the streams of a container say of themselves, through FFmpeg's libraries."""

from __future__ import annotations

import struct
from functools import cache
from typing import Any

import av
from av.container import InputContainer
from av.stream import Disposition

from unmuffle.errors import AudioFileError
from unmuffle.signal.files.decoder import CannotDecodeError
from unmuffle.signal.files.info import LOSSLESS_CODECS, AudioInfo, is_lossy
from unmuffle.signal.files.layouts import LAYOUT_MASKS, UNKNOWN_LAYOUT, usual_layout
from unmuffle.signal.files.sniff import container_of
from unmuffle.signal.files.source import Source
from unmuffle.signal.files.truncation import is_cut_short

PYAV_VERSION = int(av.__version__.split(".")[0])
# Tags that are not in UTF-8 must not keep a file from being read; PyAV 19 sees to it without being told.
_LENIENT: dict[str, Any] = {"metadata_errors": "replace"} if PYAV_VERSION < 19 else {}
_LOSSY_PCM = frozenset({"pcm_mulaw", "pcm_alaw"})
_PCM_FORMATS = {
    "u8": "u8",
    "s8": "u8",
    "16": "s16",
    "24": "s24",
    "20": "s24",
    "32": "s32",
    "f32": "f32",
    "f64": "f64",
}
# Headers that describe the file rather than the recording.
TECHNICAL_TAGS = frozenset(
    {
        "major_brand",
        "minor_version",
        "compatible_brands",
        "encoder",
        "handler_name",
        "vendor_id",
        "duration",
        "language",
        "encoding",
        "creation_time",
        "bps",
        "number_of_frames",
        "number_of_bytes",
        "filename",
        "mimetype",
    }
)
_TAG_NAMES = {"tracknumber": "track", "year": "date", "description": "comment", "albumartist": "album_artist"}
# What names other files or addresses, for FFmpeg to open them.
_FOLLOWING_FORMATS = frozenset(
    {
        "applehttp",
        "avisynth",
        "concat",
        "dash",
        "hls",
        "image2",
        "imf",
        "lavfi",
        "rtp",
        "rtsp",
        "sap",
        "sdp",
        "vapoursynth",
        "vobsub",
        "webm_dash_manifest",
    }
)
# Streams that begin at an arbitrary clock; everything else begins where its picture does.
_CLOCKED_FORMATS = frozenset({"mpegts", "mpeg"})
_GUESSED_LENGTHS = frozenset({"aac", "ac3", "eac3", "amr", "dts"})


def open_input(source: Source) -> InputContainer:
    """Open a source with FFmpeg's demuxers.

    Raises
    ------
    CannotDecodeError
        When no demuxer knows it.
    """
    source.rewind()
    target: Any = str(source.path.resolve()) if source.path is not None else source.stream
    try:
        container: InputContainer = av.open(target, mode="r", options=_no_other_addresses(), **_LENIENT)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if source.head[4:8] == b"ftyp" and is_cut_short(source, "mp4"):
            raise AudioFileError(
                f"{source.name} breaks off before its index: the recording or the copying of it was not finished"
            ) from error
        raise CannotDecodeError(_reason(error)) from error
    return container


@cache
def _no_other_addresses() -> dict[str, str]:
    """Return what keeps a file from making FFmpeg open another: neither the network nor a path that it names."""
    harmless = (name for name in av.formats_available if _FOLLOWING_FORMATS.isdisjoint(name.split(",")))
    return {"protocol_whitelist": "file,pipe", "format_whitelist": ",".join(sorted(harmless))}


def main_audio(container: InputContainer) -> Any:
    """Return the audio stream that is enhanced: the default one, else the first; None without audio."""
    streams = [stream for stream in container.streams.audio if stream.codec_context is not None]
    default = [stream for stream in streams if stream.disposition & Disposition.default]
    return next(iter(default or streams), None)


def is_cover(stream: Any) -> bool:
    """Whether a video stream is cover art."""
    return bool(stream.type == "video" and stream.disposition & Disposition.attached_pic)


def clock_offset(container: InputContainer) -> float:
    """Seconds that the container's clock runs ahead of its content."""
    if container.format.name in _CLOCKED_FORMATS and container.start_time:
        return float(container.start_time) / 1e6
    return 0.0


def codec_name(stream: Any) -> str:
    """Name of the codec, whichever decoder reads it."""
    return str(stream.codec_context.codec.canonical_name)


def describe(source: Source, container: InputContainer, packets: list[Any], frame: Any) -> AudioInfo:
    """Describe the audio from its first packets and its first decoded frame."""
    stream = packets[0].stream
    codec = codec_name(stream)
    several = len(container.streams) > 1
    kind = container_of(container.format.name, source.head)
    start = 0.0
    if several and frame.pts is not None:
        start = float(frame.pts * frame.time_base) - clock_offset(container)
    tags = read_tags(container, stream)
    return AudioInfo(
        sample_rate=frame.sample_rate,
        channels=frame.layout.nb_channels,
        layout=_layout(frame),
        sample_format=_sample_format(codec, stream, frame.format.name),
        frames=_frames(container, stream, codec, frame.sample_rate),
        container=kind,
        codec=codec,
        bit_rate=stream.bit_rate or (_bit_rate(packets) if several else container.bit_rate) or None,
        tags=tags,
        has_video=any(not is_cover(video) for video in container.streams.video),
        start_s=start,
        starts_with_priming=is_lossy(codec) and _is_untrimmed(packets[0], frame),
    )


def _bit_rate(packets: list[Any]) -> int | None:
    """Mean over some packets, for containers that do not tell it."""
    seconds = sum(float(packet.duration * packet.time_base) for packet in packets if packet.duration)
    return int(8 * sum(packet.size for packet in packets) / seconds) if seconds > 0 else None


def _is_untrimmed(packet: Any, frame: Any) -> bool:
    """Whether a frame is all that its packet held, and the first of the stream."""
    size = packet.stream.codec_context.frame_size
    return bool(packet.pts == frame.pts and (not size or frame.samples == size))


def _layout(frame: Any) -> str:
    if frame.layout.name in LAYOUT_MASKS:
        return str(frame.layout.name)
    return usual_layout(frame.layout.nb_channels) if frame.layout.nb_channels <= 2 else UNKNOWN_LAYOUT


def read_tags(container: InputContainer, stream: Any) -> dict[str, str]:
    """Tags of the file and, where it has none of a name, of its audio stream; names in lower case."""
    tags: dict[str, str] = {}
    for metadata in (stream.metadata, container.metadata):
        for key, text in metadata.items():
            name = _TAG_NAMES.get(key.lower(), key.lower())
            if text and name not in TECHNICAL_TAGS and not name.startswith("_"):
                tags[name] = text
    return tags


def _frames(container: InputContainer, stream: Any, codec: str, rate: int) -> int | None:
    if container.format.name in _GUESSED_LENGTHS:
        return None
    if stream.duration is not None:
        frames = int(stream.duration * stream.time_base * rate + 0.5)
        head = stream.codec_context.extradata or b""
        if codec == "opus" and container.format.name == "ogg" and head[:8] == b"OpusHead":
            frames -= struct.unpack("<H", head[10:12])[0]
        return max(0, frames)
    if container.duration and len(container.streams) == 1:
        return round(container.duration / 1e6 * rate)
    return None


def _sample_format(codec: str, stream: Any, frame_format: str) -> str:
    if codec in LOSSLESS_CODECS:
        return "s16" if frame_format.startswith("s16") else f"s{_lossless_bits(codec, stream)}"
    if not codec.startswith("pcm_") or codec in _LOSSY_PCM:
        return "s16" if codec in _LOSSY_PCM else "f32"
    return next((fmt for mark, fmt in _PCM_FORMATS.items() if mark in codec), "f32")


def _lossless_bits(codec: str, stream: Any) -> int:
    """24 or 32 for samples that are decoded to 32 bits."""
    head = stream.codec_context.extradata or b""
    if codec == "flac" and len(head) >= 34:
        bits = ((head[12] & 1) << 4 | head[13] >> 4) + 1
    elif codec == "alac" and len(head) >= 18:
        bits = head[17]
    else:
        bits = 24
    return 32 if bits > 24 else 24


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return str(text)[:1].lower() + str(text)[1:]
