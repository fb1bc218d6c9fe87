"""What is known about a piece of audio before its samples are read."""

from __future__ import annotations

from dataclasses import dataclass, field

LOSSLESS_CODECS = frozenset({"flac", "alac", "wavpack", "tta", "ape", "shorten", "mlp", "truehd"})


@dataclass(frozen=True)
class AudioInfo:
    """Description of the audio in a file or stream.

    Attributes
    ----------
    sample_rate : int
        Samples a second, in Hz.
    channels : int
        Number of channels.
    layout : str
        Speaker layout: ``"mono"``, ``"stereo"``, ``"5.1"``, ... or ``"unknown"``.
    sample_format : str
        ``"u8"``, ``"s16"``, ``"s24"``, ``"s32"``, ``"f32"`` or ``"f64"``. Lossy codecs decode to ``"f32"``.
    frames : int or None
        Samples in each channel as the header tells it; None where the header does not. For a lossy codec the
        header may be off by a codec frame.
    container : str
        Container, by its usual file extension: ``"wav"``, ``"mp4"``, ``"mkv"``, ``"raw"``, ...
    codec : str
        Codec: ``"pcm_s16le"``, ``"flac"``, ``"aac"``, ``"opus"``, ...
    bit_rate : int or None
        Bits a second of the audio; None where unknown.
    tags : dict of str to str
        Title, artist, album, date, comment and so on, with lower-case keys.
    has_video : bool
        Whether a moving picture is beside the audio (cover art is not one).
    start_s : float
        When the first sample plays on the file's own clock, in seconds. Not 0 where the audio of a video
        begins later than its picture.
    starts_with_priming : bool
        Whether the first samples are those in which a lossy codec settles, because the container does not
        say where the audio proper begins.
    """

    sample_rate: int
    channels: int
    layout: str = "unknown"
    sample_format: str = "f32"
    frames: int | None = None
    container: str = "wav"
    codec: str = "pcm_f32le"
    bit_rate: int | None = None
    tags: dict[str, str] = field(default_factory=dict)
    has_video: bool = False
    start_s: float = 0.0
    starts_with_priming: bool = False

    @property
    def seconds(self) -> float | None:
        """Length in seconds, or None where the length is not known."""
        return None if self.frames is None else self.frames / self.sample_rate


def is_lossy(codec: str) -> bool:
    """Whether a codec changes the samples; plain and companded PCM count as lossless."""
    return not codec.startswith("pcm_") and codec not in LOSSLESS_CODECS
