"""Finding a sound device, and saying plainly when there is none."""

from __future__ import annotations

import sys

import pytest
from live_signals import FakeSoundDevice, sound_device

from unmuffle.errors import InvalidParameterError, MissingExtraError
from unmuffle.live import choose_device, list_devices

LISTED = [
    sound_device("HDA Intel PCH: ALC257", 2, 2, 44_100.0),
    sound_device("USB Headset", 1, 2, 48_000.0),
    sound_device("USB Headset", 1, 2, 48_000.0, host=1),
    sound_device("Monitor of HDA", 2, 0, 48_000.0),
    sound_device("HDMI", 0, 8, 48_000.0),
]


@pytest.fixture
def devices(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSoundDevice(LISTED, default=(3, 0)))
    return list_devices()


def test_devices_are_told_as_the_system_lists_them(devices):
    assert [device.number for device in devices] == [0, 1, 2, 3, 4]
    assert [device.host for device in devices] == ["ALSA", "ALSA", "JACK", "ALSA", "ALSA"]
    assert devices[3].is_default == ("input",)
    assert devices[0].is_default == ("output",)
    assert (devices[0].inputs, devices[0].outputs, devices[0].sample_rate) == (2, 2, 44_100)


@pytest.mark.parametrize(
    ("wanted", "direction", "number"),
    [
        (None, "input", 3),
        (None, "output", 0),
        ("1", "input", 1),
        ("hdmi", "output", 4),
        ("monitor", "input", 3),
        # A whole name beats a part of another.
        ("Monitor of HDA", "input", 3),
        # Of what has the direction alone.
        ("HDA", "output", 0),
    ],
)
def test_a_number_or_a_part_of_a_name_chooses(devices, wanted, direction, number):
    assert choose_device(devices, wanted, direction).number == number


@pytest.mark.parametrize(
    ("wanted", "direction", "message"),
    [
        ("usb", "input", r"'usb' fits several devices: give the number of one of 1 \(USB Headset, ALSA\), 2 \(USB"),
        ("HDMI", "input", r"HDMI has no input: choose from 0 \(HDA"),
        ("4", "input", "HDMI has no input"),
        ("17", "output", r"no sound device is called '17': choose from 0 \(HDA"),
        ("scarlett", "output", "no sound device is called 'scarlett'"),
    ],
)
def test_what_cannot_be_chosen_is_told_with_what_there_is(devices, wanted, direction, message):
    with pytest.raises(InvalidParameterError, match=message):
        choose_device(devices, wanted, direction)


def test_a_system_without_sound_is_told():
    with pytest.raises(InvalidParameterError, match="there is no sound device for input"):
        choose_device([], None, "input")


def test_the_first_that_is_able_stands_in_for_a_missing_default(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSoundDevice(LISTED))
    assert choose_device(list_devices(), None, "output").number == 0


def test_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingExtraError, match=r'pip install "unmuffle\[live\]"'):
        list_devices()


def test_a_missing_library_names_the_system_package(monkeypatch, tmp_path):
    # As the package does where it finds no PortAudio.
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    with pytest.raises(MissingExtraError, match="sudo apt install libportaudio2"):
        list_devices()
