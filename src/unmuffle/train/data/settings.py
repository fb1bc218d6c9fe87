"""Chances and ranges of the mixing: ``[mix]`` of a config."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from unmuffle.errors import InvalidParameterError

RANGES = ("snr_db", "easy_snr_db", "hard_snr_db", "level_db", "speed")
KINDS = ("synthetic", "babble", "music", "wind", "keyboard")


@dataclass(frozen=True)
class MixSettings:
    """How often what happens to an item, and how much of it.

    Effects whose share is 0 draw no random numbers, so that runs that were begun before an effect existed go on with
    the items they would have met.

    Attributes
    ----------
    snr_db, easy_snr_db, hard_snr_db : (float, float)
        Ratio of the speech, by its active level, to all noises together; ``easy_share`` and ``hard_share`` of the
        items take theirs from the second and third.
    level_db : (float, float)
        RMS of an item in dBFS.
    clean_share, noise_share : float
        Of the items: without noise, without speech.
    room_share, noise_room_share : float
        Of the talkers and of the noises: heard in a room.
    babble_share, synthetic_share, music_share, wind_share, keyboard_share : float
        Of the noises: other talkers, stationary noise and hum, packed music, wind, typing. The rest is recorded noise.
    second_noise_share : float
        Chance of a second noise, and again of a third.
    speed_share, speed : float, (float, float)
        Of the talkers: played faster or slower.
    speech_colour_share, noise_colour_share, microphone_share : float
        Random spectra of the talker, of a noise, of the microphone.
    band_limit_share, clip_share : float
        Of the items: low-pass or telephone band; clipping.
    resampled_share : float
        Of the items at 48 kHz: cut as sharply as by another rate, the half of them as by 44.1 kHz.
    codec_share, codecs : float, tuple of str
        Of the items: coded by one of the codecs and decoded.
    packet_loss_share : float
        Of the items: frames are lost and concealed.
    sixteen_bit_share : float
        Of the items: rounded to 16 bits.
    """

    snr_db: tuple[float, float] = (-5.0, 20.0)
    easy_share: float = 0.08
    easy_snr_db: tuple[float, float] = (20.0, 40.0)
    hard_share: float = 0.05
    hard_snr_db: tuple[float, float] = (-10.0, -5.0)
    level_db: tuple[float, float] = (-45.0, -15.0)
    clean_share: float = 0.10
    noise_share: float = 0.05
    room_share: float = 0.45
    noise_room_share: float = 0.25
    babble_share: float = 0.10
    synthetic_share: float = 0.08
    second_noise_share: float = 0.35
    speed_share: float = 0.5
    speed: tuple[float, float] = (0.88, 1.14)
    speech_colour_share: float = 0.3
    noise_colour_share: float = 0.5
    microphone_share: float = 0.2
    band_limit_share: float = 0.15
    clip_share: float = 0.05
    sixteen_bit_share: float = 0.5
    music_share: float = 0.0
    wind_share: float = 0.0
    keyboard_share: float = 0.0
    codec_share: float = 0.0
    codecs: tuple[str, ...] = ("opus", "mp3", "aac", "g722", "amr_nb", "gsm", "mu_law", "a_law")
    packet_loss_share: float = 0.0
    resampled_share: float = 0.5

    def __post_init__(self) -> None:
        """Refuse shares that are none, and ranges that are the wrong way round."""
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name.endswith("_share") and not (_is_number(value) and 0 <= value <= 1):
                raise InvalidParameterError(f"mix.{item.name} must be 0 to 1, not {value!r}")
            if item.name in RANGES and not (len(value) == 2 and all(map(_is_number, value)) and value[0] <= value[1]):
                raise InvalidParameterError(f"mix.{item.name} must be two numbers, the lower first, not {list(value)}")
        kinds = sum(getattr(self, f"{kind}_share") for kind in KINDS)
        if kinds > 1:
            raise InvalidParameterError(
                f"the shares of {', '.join(KINDS)} in mix add up to {kinds:g}: they are parts of all noises, at most 1"
            )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
