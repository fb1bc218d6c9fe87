"""The sound devices of the system, by PortAudio through the package sounddevice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from unmuffle.errors import InvalidParameterError, MissingExtraError

Direction = Literal["input", "output"]
INSTALL = 'pip install "unmuffle[live]"'


@dataclass(frozen=True)
class SoundDevice:
    """One device as the system lists it.

    Attributes
    ----------
    number : int
        By which it can be chosen.
    name, host : str
        Its name, and the sound system that offers it.
    inputs, outputs : int
        Channels of each direction; 0 where it has none.
    sample_rate : int
        Its own, in Hz.
    is_default : tuple of str
        Directions for which it is the one that is used if none is named.
    """

    number: int
    name: str
    host: str
    inputs: int
    outputs: int
    sample_rate: int
    is_default: tuple[str, ...] = ()

    def channels(self, direction: Direction) -> int:
        """Channels of one direction."""
        return self.inputs if direction == "input" else self.outputs


def load_sounddevice() -> Any:
    """Return the module sounddevice.

    Raises
    ------
    MissingExtraError
        If it, or the library PortAudio that it calls, is not installed, with what installs it.
    """
    try:
        return import_module("sounddevice")
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"live sound needs the package {error.name or 'sounddevice'}: {INSTALL}", name=error.name
        ) from None
    except OSError:
        raise MissingExtraError(
            "live sound needs the library PortAudio: sudo apt install libportaudio2 (Debian, Ubuntu), "
            "sudo dnf install portaudio (Fedora), brew install portaudio (macOS)",
            name="sounddevice",
        ) from None


def list_devices() -> list[SoundDevice]:
    """Return all sound devices of the system.

    Raises
    ------
    MissingExtraError
        If PortAudio or its package is not installed.
    """
    sounddevice = load_sounddevice()
    hosts = [host["name"] for host in sounddevice.query_hostapis()]
    defaults = dict(zip(("input", "output"), sounddevice.default.device, strict=True))
    return [
        SoundDevice(
            number,
            str(found["name"]),
            hosts[found["hostapi"]],
            int(found["max_input_channels"]),
            int(found["max_output_channels"]),
            round(found["default_samplerate"]),
            tuple(direction for direction, default in defaults.items() if default == number),
        )
        for number, found in enumerate(sounddevice.query_devices())
    ]


def choose_device(devices: Sequence[SoundDevice], wanted: str | None, direction: Direction) -> SoundDevice:
    """Return the device that a number or a part of a name means, or the system's default.

    Parameters
    ----------
    devices : sequence of SoundDevice
    wanted : str, optional
        A number, a whole name, or a part of one that no other has; upper and lower case are the same.
    direction : {"input", "output"}

    Raises
    ------
    InvalidParameterError
        If there is none, or more than one, with those there are.
    """
    able = [device for device in devices if device.channels(direction) > 0]
    if not able:
        raise InvalidParameterError(f"there is no sound device for {direction}: 'unmuffle live --list' shows all")
    if wanted is None:
        return next((device for device in able if direction in device.is_default), able[0])
    fitting = _fitting(devices, wanted.strip())
    found = [device for device in fitting if device in able]
    if len(found) == 1:
        return found[0]
    if len(found) > 1:
        raise InvalidParameterError(f"{wanted!r} fits several devices: give the number of one of {_named(found)}")
    if fitting:
        raise InvalidParameterError(f"{fitting[0].name} has no {direction}: choose from {_named(able)}")
    raise InvalidParameterError(f"no sound device is called {wanted!r}: choose from {_named(able)}")


def _fitting(devices: Sequence[SoundDevice], wanted: str) -> list[SoundDevice]:
    if wanted.isdecimal():
        return [device for device in devices if device.number == int(wanted)]
    whole = [device for device in devices if device.name.casefold() == wanted.casefold()]
    return whole or [device for device in devices if wanted.casefold() in device.name.casefold()]


def _named(devices: Sequence[SoundDevice]) -> str:
    return ", ".join(f"{device.number} ({device.name}, {device.host})" for device in devices)
