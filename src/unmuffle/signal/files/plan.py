"""Choosing how a destination is written: the source's own way where the container can, else the nearest one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from unmuffle.errors import AudioFileError
from unmuffle.signal.files.containers import CONTAINERS, LIMITS, CodecLimits, Container
from unmuffle.signal.files.info import AudioInfo, is_lossy

_ANY_PCM = CodecLimits("", "", 65535)


@dataclass(frozen=True)
class WritePlan:
    """How one destination is written.

    Attributes
    ----------
    container : Container
        The kind of file.
    codec : str
        Its codec, such as ``"aac"`` or ``"pcm_s16le"``.
    sample_format : str
        Sample format of lossless codecs; ``"f32"`` for lossy ones.
    sample_rate : int
        Rate in Hz; the source's wherever the codec knows it.
    bit_rate : int or None
        Bits a second for lossy codecs.
    warnings : tuple of str
        What could not be kept.
    """

    container: Container
    codec: str
    sample_format: str
    sample_rate: int
    bit_rate: int | None
    warnings: tuple[str, ...]


def container_for(name: str) -> Container:
    """Look up the container of a file name or a bare extension.

    Raises
    ------
    AudioFileError
        When the extension is missing or cannot be written.
    """
    suffix = PurePath(name).suffix.lower().lstrip(".")
    container = CONTAINERS.get(suffix)
    if container is None:
        what = f"the extension .{suffix}" if suffix else "no extension"
        known = ", ".join(
            "." + key for key in ("wav", "flac", "mp3", "m4a", "ogg", "opus", "mp4", "mkv", "mov", "webm")
        )
        raise AudioFileError(f"{name} has {what}: name the destination with one that can be written, such as {known}")
    return container


def plan_writing(name: str, container: Container, info: AudioInfo) -> WritePlan:
    """Choose codec, sample format, rate and bit rate.

    Parameters
    ----------
    name : str
        The destination, for messages.
    container : Container
        Its kind.
    info : AudioInfo
        The source.

    Raises
    ------
    AudioFileError
        When no codec of the container takes that many channels.
    """
    warnings: list[str] = []
    codec = _choose_codec(container, info)
    limits = LIMITS.get(codec, _ANY_PCM)
    if info.channels > limits.channels:
        raise AudioFileError(
            f"{name} cannot hold {info.channels} channels ({codec} takes {limits.channels}): write a .wav instead"
        )
    if is_lossy(info.codec) and info.container == container.suffix and codec != info.codec:
        warnings.append(f"{name} is encoded as {codec}: there is no encoder for {info.codec} here")
    rate = _choose_rate(limits, info.sample_rate)
    if rate != info.sample_rate:
        warnings.append(f"{name} is at {rate} Hz: {codec} cannot hold {info.sample_rate} Hz")
    sample_format = _choose_format(name, container, codec, info, warnings)
    if codec == "pcm":
        order = "be" if container.suffix in ("aiff", "caf", "au") else "le"
        codec = "pcm_u8" if sample_format == "u8" else f"pcm_{sample_format}{order}"
    return WritePlan(
        container, codec, sample_format, rate, _choose_bit_rate(limits, info, codec, rate), tuple(warnings)
    )


def _choose_codec(container: Container, info: AudioInfo) -> str:
    if info.codec in container.codecs:
        return info.codec
    if is_lossy(info.codec):
        return container.codecs[0]
    if info.codec.startswith("pcm_") and "pcm" in container.codecs:
        return "pcm"
    return container.lossless or container.codecs[0]


def _choose_rate(limits: CodecLimits, rate: int) -> int:
    if not limits.rates or rate in limits.rates:
        return rate
    return next((known for known in limits.rates if known > rate), limits.rates[-1])


def _choose_format(name: str, container: Container, codec: str, info: AudioInfo, warnings: list[str]) -> str:
    wanted = info.sample_format
    if codec in ("flac", "alac"):
        if wanted in ("s16", "s24"):
            return wanted
        if wanted == "u8":
            return "s16"
        if not is_lossy(info.codec):
            warnings.append(f"{name} has 24-bit samples: {codec} cannot hold {_WORDS[wanted]}")
        return "s24"
    if codec != "pcm":
        return "f32"
    if container.suffix == "avi" and wanted in ("s24", "s32", "f32", "f64"):
        warnings.append(f"{name} has 16-bit samples: AVI does not hold {_WORDS[wanted]} reliably")
        return "s16"
    return wanted


_WORDS = {"s24": "24-bit integers", "s32": "32-bit integers", "f32": "32-bit floats", "f64": "64-bit floats"}


def _choose_bit_rate(limits: CodecLimits, info: AudioInfo, codec: str, rate: int) -> int | None:
    """Give the source's bit rate or, if that is low or unknown, a rate that adds little damage of its own."""
    if not limits.bits_per_channel:
        return None
    usual = limits.bits_per_channel * info.channels
    if rate < 32000:
        usual //= 2
    wanted = usual
    if info.codec == codec and info.bit_rate:
        wanted = max(info.bit_rate, usual // 2)
    top = limits.top_bit_rate
    if codec in ("mp3", "mp2") and rate < 32000:
        top = 160_000 if rate >= 16000 else 64_000
    if top:
        wanted = min(wanted, top)
    steps = [step for step in limits.bit_rates if step >= wanted]
    return steps[0] if steps else wanted
