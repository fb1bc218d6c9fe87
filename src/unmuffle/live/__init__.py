"""A microphone loop: in, enhanced, out."""

from unmuffle.live.device import Device, Side, block_size_for
from unmuffle.live.file_device import Capture, FileDevice
from unmuffle.live.latency import LatencyReport, measure_latency
from unmuffle.live.loop import LiveLoop, LiveReport
from unmuffle.live.recorder import Recorder
from unmuffle.live.sound_card import SoundCard, SoundCardError
from unmuffle.live.sound_devices import SoundDevice, choose_device, list_devices

__all__ = [
    "Capture",
    "Device",
    "FileDevice",
    "LatencyReport",
    "LiveLoop",
    "LiveReport",
    "Recorder",
    "Side",
    "SoundCard",
    "SoundCardError",
    "SoundDevice",
    "block_size_for",
    "choose_device",
    "list_devices",
    "measure_latency",
]
