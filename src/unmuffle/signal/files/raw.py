"""Headerless PCM: how its samples are laid out."""

from __future__ import annotations

from dataclasses import dataclass

from unmuffle.errors import InvalidParameterError

RAW_SAMPLE_FORMATS = (
    "u8",
    "s16le",
    "s16be",
    "s24le",
    "s24be",
    "s32le",
    "s32be",
    "f32le",
    "f32be",
    "f64le",
    "f64be",
)
_MAX_CHANNELS = 1024
_MAX_RATE = 10_000_000


@dataclass(frozen=True)
class RawFormat:
    """Layout of headerless PCM samples, interleaved by channel.

    Attributes
    ----------
    sample_format : str
        One of ``RAW_SAMPLE_FORMATS``, such as ``"s16le"``.
    sample_rate : int
        Samples a second, in Hz.
    channels : int
        Number of channels.

    Raises
    ------
    InvalidParameterError
        When a value is out of its range.
    """

    sample_format: str
    sample_rate: int
    channels: int

    def __post_init__(self) -> None:
        if self.sample_format not in RAW_SAMPLE_FORMATS:
            raise InvalidParameterError(
                f"raw sample format {self.sample_format!r} is not known: use one of {', '.join(RAW_SAMPLE_FORMATS)}"
            )
        if not 1 <= self.sample_rate <= _MAX_RATE:
            raise InvalidParameterError(f"raw sample rate {self.sample_rate} is not between 1 and {_MAX_RATE} Hz")
        if not 1 <= self.channels <= _MAX_CHANNELS:
            raise InvalidParameterError(f"raw channel count {self.channels} is not between 1 and {_MAX_CHANNELS}")

    @classmethod
    def parse(cls, text: str) -> RawFormat:
        """Read ``"FORMAT,RATE,CHANNELS"``.

        Parameters
        ----------
        text : str
            For example ``"s16le,48000,1"``.

        Returns
        -------
        RawFormat
            The layout it names.

        Raises
        ------
        InvalidParameterError
            When the text has another shape, or a value is out of its range.

        Examples
        --------
        >>> RawFormat.parse("s16le,48000,1")
        RawFormat(sample_format='s16le', sample_rate=48000, channels=1)
        """
        parts = [part.strip() for part in text.split(",")]
        try:
            sample_format, rate, channels = parts
            return cls(sample_format.lower(), int(rate), int(channels))
        except InvalidParameterError:
            raise
        except ValueError as error:
            raise InvalidParameterError(
                f"raw format {text!r} is not FORMAT,RATE,CHANNELS such as s16le,48000,1"
            ) from error

    @property
    def base_format(self) -> str:
        """Sample format without its byte order: ``"s16"`` for ``"s16le"``."""
        return self.sample_format.removesuffix("le").removesuffix("be")

    @property
    def big_endian(self) -> bool:
        """Whether the most significant byte comes first."""
        return self.sample_format.endswith("be")
