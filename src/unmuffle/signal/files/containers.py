"""What each container can hold: the table behind the choice of a destination's codec."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Container:
    """One kind of file that can be written.

    Attributes
    ----------
    suffix : str
        Extension without its dot.
    backend : str
        Who writes it: ``"wav"``, ``"sndfile"`` or ``"av"``.
    muxer : str
        The backend's name for it.
    codecs : tuple of str
        Codecs it takes, the usual one first; ``"pcm"`` stands for the PCM codec of the sample format.
    lossless : str
        Codec for a lossless source; empty where the usual one is the better guess.
    carries : str
        What it takes besides the audio: ``"all"`` (pictures, subtitles, other audio), ``"cover"`` or
        ``"none"``.
    brand : str
        First brand of an MP4 file; empty for the muxer's own.
    """

    suffix: str
    backend: str
    muxer: str
    codecs: tuple[str, ...]
    lossless: str = ""
    carries: str = "none"
    brand: str = ""

    @property
    def options(self) -> dict[str, str]:
        """Options of the muxer."""
        return {"brand": self.brand} if self.brand else {}


@dataclass(frozen=True)
class CodecLimits:
    """What an encoder takes, and how many bits it should get.

    Attributes
    ----------
    encoder : str
        Name of the encoder.
    frame_format : str
        Sample layout it is fed with, in FFmpeg's words.
    channels : int
        Most channels.
    rates : tuple of int
        Sample rates in Hz, rising; empty where every rate will do.
    bits_per_channel : int
        Usual bit rate of one channel; 0 for lossless codecs.
    top_bit_rate : int
        Highest bit rate of the whole; 0 where it has no bound.
    bit_rates : tuple of int
        The steps in which it comes, rising; empty where any value will do.
    """

    encoder: str
    frame_format: str
    channels: int
    rates: tuple[int, ...] = ()
    bits_per_channel: int = 0
    top_bit_rate: int = 0
    bit_rates: tuple[int, ...] = ()


_MOV = ("aac", "alac", "mp3", "ac3", "eac3")
_MKV = ("aac", "opus", "mp3", "flac", "ac3", "eac3", "mp2", "alac", "pcm")

_ALL = (
    Container("wav", "wav", "WAV", ("pcm",)),
    Container("w64", "sndfile", "W64", ("pcm",)),
    Container("aiff", "sndfile", "AIFF", ("pcm",)),
    Container("caf", "sndfile", "CAF", ("pcm",)),
    Container("au", "sndfile", "AU", ("pcm",)),
    Container("flac", "av", "flac", ("flac",), carries="cover"),
    Container("ogg", "av", "ogg", ("vorbis", "opus", "flac")),
    Container("opus", "av", "opus", ("opus",)),
    Container("mp3", "av", "mp3", ("mp3",), carries="cover"),
    Container("mp2", "av", "mp2", ("mp2",)),
    Container("m4a", "av", "mp4", ("aac", "alac"), carries="cover", brand="M4A "),
    Container("aac", "av", "adts", ("aac",)),
    Container("ac3", "av", "ac3", ("ac3",)),
    Container("eac3", "av", "eac3", ("eac3",)),
    Container("wma", "av", "asf", ("wmav2",)),
    Container("amr", "av", "amr", ("amr_nb",)),
    Container("mka", "av", "matroska", _MKV, lossless="flac", carries="all"),
    Container("mp4", "av", "mp4", (*_MOV, "opus", "flac", "mp2"), carries="all"),
    Container("mov", "av", "mov", (*_MOV, "pcm"), lossless="pcm", carries="all"),
    Container("3gp", "av", "3gp", ("aac", "amr_nb"), carries="all"),
    Container("mkv", "av", "matroska", _MKV, lossless="flac", carries="all"),
    Container("webm", "av", "webm", ("opus",), carries="all"),
    Container("avi", "av", "avi", ("mp3", "ac3", "mp2", "aac", "pcm"), lossless="pcm", carries="all"),
    Container("ts", "av", "mpegts", ("aac", "mp3", "mp2", "ac3", "eac3", "opus"), carries="all"),
    Container("mpg", "av", "mpeg", ("mp2", "ac3"), carries="all"),
    Container("flv", "av", "flv", ("aac", "mp3"), carries="all"),
    Container("wmv", "av", "asf", ("wmav2",), carries="all"),
)
_ALIASES = {
    "wave": "wav",
    "bwf": "wav",
    "rf64": "wav",
    "aif": "aiff",
    "aifc": "aiff",
    "snd": "au",
    "oga": "ogg",
    "m4b": "m4a",
    "m4v": "mp4",
    "m2ts": "ts",
    "mts": "ts",
    "mpeg": "mpg",
    "asf": "wmv",
}
CONTAINERS = {container.suffix: container for container in _ALL}
CONTAINERS |= {alias: CONTAINERS[name] for alias, name in _ALIASES.items()}

_AAC_RATES = (7350, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_MP3_STEPS = tuple(1000 * k for k in (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320))
_AC3_STEPS = tuple(
    1000 * k for k in (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
)
_MP2_STEPS = tuple(1000 * k for k in (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384))
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
_WMA_RATES = (8000, 11025, 16000, 22050, 32000, 44100, 48000)

LIMITS = {
    "aac": CodecLimits("aac", "fltp", 8, _AAC_RATES, 96_000),
    "opus": CodecLimits("libopus", "flt", 8, _OPUS_RATES, 64_000, 510_000),
    "mp3": CodecLimits("libmp3lame", "fltp", 2, _MP3_RATES, 96_000, 320_000, _MP3_STEPS),
    "mp2": CodecLimits("mp2", "s16", 2, _MP3_RATES[3:], 128_000, 384_000, _MP2_STEPS),
    "ac3": CodecLimits("ac3", "fltp", 6, (32000, 44100, 48000), 96_000, 640_000, _AC3_STEPS),
    "eac3": CodecLimits("eac3", "fltp", 6, (32000, 44100, 48000), 96_000, 640_000),
    "wmav2": CodecLimits("wmav2", "fltp", 2, _WMA_RATES, 96_000, 384_000),
    "amr_nb": CodecLimits("libopencore_amrnb", "s16", 1, (8000,), 12_200, 12_200),
    "vorbis": CodecLimits("", "", 8, (), 96_000),
    "flac": CodecLimits("flac", "", 8),
    "alac": CodecLimits("alac", "", 8),
}
