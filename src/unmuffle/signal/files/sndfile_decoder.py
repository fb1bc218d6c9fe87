"""Reads AIFF, CAF, AU, W64, NIST SPHERE, VOC and what else libsndfile knows."""

from __future__ import annotations

from typing import Any

import numpy as np

from unmuffle.signal.files.decoder import CannotDecodeError, truncation_warning
from unmuffle.signal.files.info import AudioInfo
from unmuffle.signal.files.layouts import usual_layout
from unmuffle.signal.files.samples import Block
from unmuffle.signal.files.source import Source
from unmuffle.signal.files.truncation import missing_bytes

_FORMATS = {
    "PCM_S8": "u8",
    "PCM_U8": "u8",
    "PCM_16": "s16",
    "ALAC_16": "s16",
    "PCM_24": "s24",
    "ALAC_24": "s24",
    "PCM_32": "s32",
    "ALAC_32": "s32",
    "FLOAT": "f32",
    "DOUBLE": "f64",
    "ULAW": "s16",
    "ALAW": "s16",
}
_CODECS = {
    "VORBIS": "vorbis",
    "OPUS": "opus",
    "MPEG_LAYER_III": "mp3",
    "ULAW": "pcm_mulaw",
    "ALAW": "pcm_alaw",
}
_TAGS = ("title", "artist", "album", "date", "comment", "genre", "copyright")


class SndfileDecoder:
    """Decoder through libsndfile."""

    def __init__(self, source: Source) -> None:
        import soundfile

        if not source.seekable:
            raise CannotDecodeError("it comes through a pipe")
        source.rewind()
        try:
            # By path where there is one: errors inside callbacks for file objects get lost in the library.
            self._file: Any = soundfile.SoundFile(source.path or source.stream)
        except (soundfile.LibsndfileError, OSError, ValueError) as error:
            raise CannotDecodeError(str(error)) from error
        self._error = soundfile.LibsndfileError
        self._source = source
        self._got = 0
        self.warnings: list[str] = []
        self.info = _info(self._file)
        missing = missing_bytes(source)
        if missing and self.info.bit_rate:
            told = (self.info.frames or 0) + missing * 8 * self.info.sample_rate // self.info.bit_rate
            self.warnings.append(truncation_warning(source.name, self.info.frames or 0, told, self.info.sample_rate))

    def read_chunk(self, frames: int) -> Block:
        """Give `frames` samples, shape [channels, n]; fewer only at the end."""
        try:
            block = self._file.read(frames, dtype="float32", always_2d=True)
        except self._error as error:
            self.warnings.append(f"{self._source.name} is damaged after {self._seconds():.1f} s: {error}")
            block = np.zeros((0, self.info.channels), dtype=np.float32)
        self._got += len(block)
        return np.ascontiguousarray(block.T)

    def skip(self, frames: int) -> int:
        """Jump over `frames` samples where that is exact, and return how many were skipped: all or none."""
        if self._file.subtype not in _FORMATS or not self._file.seekable():
            return 0
        try:
            self._file.seek(self._got + frames)
        except self._error:
            return 0
        self._got += frames
        return frames

    def close(self) -> None:
        """Close the library's view of the file."""
        self._file.close()

    def _seconds(self) -> float:
        return self._got / self.info.sample_rate


def _info(file: Any) -> AudioInfo:
    subtype: str = file.subtype
    container = {"AIFF": "aiff", "WAVEX": "wav", "NIST": "sph"}.get(file.format, str(file.format).lower())
    sample_format = _FORMATS.get(subtype, "f32")
    tags = {name: text for name in _TAGS if (text := getattr(file, name))}
    if file.tracknumber:
        tags["track"] = file.tracknumber
    return AudioInfo(
        sample_rate=file.samplerate,
        channels=file.channels,
        layout=usual_layout(file.channels) if file.channels <= 2 else "unknown",
        sample_format=sample_format,
        # libsndfile gives this number where the length cannot be known.
        frames=file.frames if 0 <= file.frames < 1 << 62 else None,
        container=container,
        codec=_codec(subtype, _is_little(file)),
        bit_rate=_bit_rate(file),
        tags=tags,
    )


def _is_little(file: Any) -> bool:
    """Whether the bytes of a sample begin with the least significant one."""
    return bool(file.endian == "LITTLE" or (file.endian == "FILE" and file.format not in ("AIFF", "CAF", "AU")))


def _codec(subtype: str, little: bool) -> str:
    if subtype.startswith("ALAC"):
        return "alac"
    if subtype in _CODECS or subtype not in _FORMATS:
        return _CODECS.get(subtype, subtype.lower())
    order = "le" if little else "be"
    return f"pcm_{_FORMATS[subtype]}" if _FORMATS[subtype] == "u8" else f"pcm_{_FORMATS[subtype]}{order}"


def _bit_rate(file: Any) -> int | None:
    width = {"PCM_S8": 1, "PCM_U8": 1, "ULAW": 1, "ALAW": 1, "PCM_16": 2, "PCM_24": 3}.get(file.subtype)
    width = width or {"PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}.get(file.subtype)
    return None if width is None else int(file.samplerate * file.channels * width * 8)
