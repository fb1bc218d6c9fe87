"""Writes AIFF, CAF, AU, W64 and Ogg Vorbis through libsndfile."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from unmuffle.signal.files.info import AudioInfo
from unmuffle.signal.files.layouts import vorbis_order
from unmuffle.signal.files.plan import WritePlan
from unmuffle.signal.files.samples import Block, from_float

_SUBTYPES = {"s16": "PCM_16", "s24": "PCM_24", "s32": "PCM_32", "f32": "FLOAT", "f64": "DOUBLE"}
_LEFT_SHIFT = {"u8": 24, "s16": 16, "s24": 8, "s32": 0}
_TAGS = ("title", "artist", "album", "date", "comment", "genre", "copyright")
# Nominal bit rates of two channels for Vorbis qualities 0 to 10, in kbit/s (Xiph.org).
_VORBIS_KBPS = (64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 500)
# libsndfile puts a whole write to Vorbis on the stack.
_LARGEST_WRITE = 65536
# The library does not say why a write failed: less room than this on the disk is reason enough.
_HARDLY_ANY_ROOM = 1 << 16


class SndfileEncoder:
    """Writer through libsndfile.

    Parameters
    ----------
    path : Path
        The file to write.
    plan : WritePlan
        Codec, rate and sample format.
    info : AudioInfo
        Channels and tags.

    Raises
    ------
    OSError
        When the file cannot be written.
    """

    def __init__(self, path: Path, plan: WritePlan, info: AudioInfo) -> None:
        import soundfile

        self._failures = (soundfile.LibsndfileError, AssertionError, RuntimeError)
        self._info_of = soundfile.info
        self._path = path
        self._vorbis = plan.codec == "vorbis"
        self._sample_format = "f32" if self._vorbis else plan.sample_format
        self.keeps_nan = self._sample_format.startswith("f") and not self._vorbis
        self._frames = 0
        self._order = vorbis_order(info.channels) if self._vorbis else tuple(range(info.channels))
        eight_bit = "PCM_U8" if plan.container.suffix == "w64" else "PCM_S8"
        subtype = "VORBIS" if self._vorbis else _SUBTYPES.get(plan.sample_format, eight_bit)
        options = {"compression_level": _vorbis_level(plan.bit_rate, info.channels)} if self._vorbis else {}
        muxer = "OGG" if self._vorbis else plan.container.muxer
        with self._as_os_error():
            self._file: Any = soundfile.SoundFile(
                str(path), "w", plan.sample_rate, info.channels, subtype, format=muxer, **options
            )
        self._set_tags(info.tags)

    def write(self, block: Block) -> int:
        """Write a block, shape [channels, n]; gives the number of clipped samples."""
        clipped = 0
        for start in range(0, block.shape[1], _LARGEST_WRITE):
            piece = block[:, start : start + _LARGEST_WRITE]
            values, beyond = from_float(piece[list(self._order)], self._sample_format)
            clipped += beyond
            if self._sample_format == "u8":
                values = values.astype(np.int32) - 128
            if self._sample_format in _LEFT_SHIFT:
                values = values.astype(np.int32) << _LEFT_SHIFT[self._sample_format]
            with self._as_os_error():
                self._file.write(np.ascontiguousarray(values.T))
            self._frames += piece.shape[1]
        return clipped

    def finish(self) -> None:
        """Close, and see that all of it has arrived: the library does not tell when its last write failed."""
        with self._as_os_error():
            self._file.close()
            stored = self._info_of(str(self._path)).frames if self._frames else 0
        if stored != self._frames:
            raise OSError(f"only {stored} of {self._frames} samples could be stored")

    def discard(self) -> None:
        """Close without a look at the result."""
        with contextlib.suppress(*self._failures):
            self._file.close()

    def _set_tags(self, tags: dict[str, str]) -> None:
        for key in _TAGS:
            if key in tags:
                # AU has no room for tags, and says so by an error.
                with contextlib.suppress(*self._failures):
                    setattr(self._file, key, tags[key])
        if "track" in tags:
            with contextlib.suppress(*self._failures):
                self._file.tracknumber = tags["track"]

    @contextlib.contextmanager
    def _as_os_error(self) -> Any:
        try:
            yield
        except self._failures as error:
            if shutil.disk_usage(self._path.parent).free < _HARDLY_ANY_ROOM:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
            raise OSError(f"the library could not store the samples ({str(error).rstrip('.')})") from error


def _vorbis_level(bit_rate: int | None, channels: int) -> float:
    """Libsndfile's compression level (1 - quality) for a bit rate."""
    of_two = 2 * (bit_rate or 0) / channels / 1000
    return float(1.0 - np.interp(of_two, _VORBIS_KBPS, np.linspace(0.0, 1.0, len(_VORBIS_KBPS))))
