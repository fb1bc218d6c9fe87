"""Sounds and stand-ins that the tests of the live loop share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import unmuffle
from unmuffle.enhancer import EnhancerStream
from unmuffle.live import Capture, FileDevice, LiveLoop


def noise(seconds: float, rate: int, channels: int = 1, *, seed: int = 0) -> np.ndarray:
    return (0.05 * np.random.default_rng(seed).standard_normal((channels, round(seconds * rate)))).astype(np.float32)


def driven(audio: np.ndarray, rate: int, **options: Any) -> tuple[FileDevice, Capture, LiveLoop]:
    """A loop on a loop-back device that nothing drives yet: no thread, no clock."""
    capture = Capture()
    settings = {"method": "wiener", **options.pop("settings", {})}
    device = FileDevice(audio, rate, capture=capture, **options)
    stream = unmuffle.open_stream(rate, len(audio), device.input.block_size, **settings)
    return device, capture, LiveLoop(device, stream)


def in_blocks(stream: EnhancerStream, audio: np.ndarray) -> np.ndarray:
    """What a stream answers to whole blocks, the last filled up with silence."""
    size = stream.block_size
    padded = np.pad(audio, ((0, 0), (0, -audio.shape[1] % size)))
    return np.concatenate([stream.process(padded[:, i : i + size]) for i in range(0, padded.shape[1], size)], axis=1)


def drive(device: FileDevice, loop: LiveLoop, *, lazy: frozenset[int] = frozenset()) -> None:
    """Play to the end; after the steps of these numbers the worker does not come to its turn."""
    step = 0
    while device.active:
        device.step(loop.take, loop.give)
        if step not in lazy:
            loop.run_waiting()
        step += 1


class FakeFlags:
    """What sounddevice calls its callback flags."""

    def __init__(self, said: str = "") -> None:
        self.said = said

    def __bool__(self) -> bool:
        return bool(self.said)


class FakeStream:
    """A stream of the fake sounddevice; ``run`` plays the part of the driver."""

    def __init__(self, module: FakeSoundDevice, kind: str, **options: Any) -> None:
        if options.get("device") in module.broken:
            raise module.PortAudioError("Device unavailable [PaErrorCode -9985]")
        self.kind, self.options, self.active, self.closed = kind, options, False, False
        self.latency = (0.01, 0.02) if kind == "both" else 0.01 if kind == "input" else 0.02
        module.streams.append(self)

    def start(self) -> None:
        self.active = True

    def stop(self) -> None:
        self.stopped, self.active = True, False

    def close(self) -> None:
        # PortAudio would cancel its thread in the middle of a callback.
        assert not self.active
        self.closed = True

    def run(self, heard: np.ndarray | None, said: str = "") -> np.ndarray | None:
        """Call back with frames [n, channels]; return what is to be played."""
        call, count = self.options["callback"], self.options["blocksize"]
        channels = self.options["channels"]
        if self.kind == "input":
            call(heard, count, None, FakeFlags(said))
            return None
        played = np.full((count, channels[1] if self.kind == "both" else channels), np.nan, np.float32)
        if self.kind == "both":
            call(heard, played, count, None, FakeFlags(said))
        else:
            call(played, count, None, FakeFlags(said))
        return played


class FakeSoundDevice:
    """As much of the package sounddevice as is used."""

    class PortAudioError(Exception):
        pass

    def __init__(self, devices: list[dict[str, Any]], default: tuple[int, int] = (-1, -1)) -> None:
        self._devices = devices
        self.default = type("default", (), {"device": default})
        self.streams: list[FakeStream] = []
        self.broken: set[Any] = set()

    def query_devices(self) -> list[dict[str, Any]]:
        return self._devices

    def query_hostapis(self) -> tuple[dict[str, Any], ...]:
        return ({"name": "ALSA"}, {"name": "JACK"})

    def Stream(self, **options: Any) -> FakeStream:  # noqa: N802 (its own name)
        return FakeStream(self, "both", **options)

    def InputStream(self, **options: Any) -> FakeStream:  # noqa: N802
        return FakeStream(self, "input", **options)

    def OutputStream(self, **options: Any) -> FakeStream:  # noqa: N802
        return FakeStream(self, "output", **options)


def sound_device(name: str, inputs: int, outputs: int, rate: float = 48_000.0, host: int = 0) -> dict[str, Any]:
    return {
        "name": name,
        "hostapi": host,
        "max_input_channels": inputs,
        "max_output_channels": outputs,
        "default_samplerate": rate,
    }


def wait_until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)
