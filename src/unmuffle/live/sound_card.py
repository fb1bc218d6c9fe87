"""A microphone and an output of the system, as the live loop wants them."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from unmuffle.errors import UnmuffleError, one_line
from unmuffle.live.device import Give, Side, Take, block_size_for
from unmuffle.live.sound_devices import SoundDevice, load_sounddevice
from unmuffle.signal.grid import check_sample_rate


class SoundCardError(UnmuffleError):
    """A sound device that cannot be opened, or that has gone."""


class SoundCard:
    """Opens a microphone and an output by PortAudio.

    A device that has both directions runs them by one clock. Two devices are opened each on its own, at its own rate,
    and the loop brings one clock to the other.

    Parameters
    ----------
    microphone : SoundDevice
    speaker : SoundDevice, optional
        None to listen alone.
    channels : int, default 1
        Of the microphone. The output has as many, or as many as it can where it is one that is heard on all.
    sample_rate : int, optional
        In Hz, for both; each device's own if not given.
    block_ms : float, optional
        Length of a block; half a frame if not given.

    Raises
    ------
    SoundCardError
        If the microphone has not so many channels.
    InvalidParameterError
        If the rate or the length of a block is out of range.
    """

    def __init__(
        self,
        microphone: SoundDevice,
        speaker: SoundDevice | None,
        *,
        channels: int = 1,
        sample_rate: int | None = None,
        block_ms: float | None = None,
    ) -> None:
        if not 1 <= channels <= microphone.inputs:
            raise SoundCardError(f"{microphone.name} has {microphone.inputs} channels, not {channels}")
        self._sounddevice = load_sounddevice()
        self._numbers = (microphone.number, None if speaker is None else speaker.number)
        rate = check_sample_rate(sample_rate or microphone.sample_rate)
        self.input = Side(microphone.name, rate, channels, block_size_for(rate, block_ms))
        self.one_clock = speaker is None or speaker.number == microphone.number
        self.output: Side | None = None
        if speaker is not None:
            played = rate if self.one_clock else check_sample_rate(sample_rate or speaker.sample_rate)
            heard_on = min(2, speaker.outputs) if channels == 1 else min(channels, speaker.outputs)
            heard_on = heard_on if heard_on in (channels, 2) else 1
            self.output = Side(speaker.name, played, heard_on, block_size_for(played, block_ms))
        self.xruns = 0
        self._streams: Sequence[Any] = ()
        self._latency_s = 0.0
        self._error: str | None = None

    @property
    def error(self) -> str | None:
        """What went wrong in a callback, in one line."""
        return self._error

    @property
    def latency_s(self) -> float:
        """Of the drivers of both devices, as they tell it."""
        return self._latency_s

    @property
    def active(self) -> bool:
        """Whether all devices are still there."""
        return all(stream.active for stream in self._streams)

    def start(self, take: Take, give: Give) -> None:
        """Open the devices and begin.

        Raises
        ------
        SoundCardError
            If one of them cannot be opened, with what the system says.
        """
        try:
            self._streams = self._opened(take, give)
            for stream in self._streams:
                stream.start()
            self._latency_s = sum(sum(_both(stream.latency)) for stream in self._streams)
        except (self._sounddevice.PortAudioError, ValueError) as error:
            self.stop()
            names = self.input.name if self.output is None else f"{self.input.name} and {self.output.name}"
            raise SoundCardError(
                f"{names} cannot be opened: {' '.join(str(error).split())}; another program may hold it, "
                "or the rate does not suit it"
            ) from error

    def stop(self) -> None:
        """Let go of the devices."""
        streams, self._streams = self._streams, ()
        for stream in streams:
            # A device that was pulled out may not even be stopped or closed without complaint.
            with contextlib.suppress(self._sounddevice.PortAudioError):
                # Closing alone would cancel PortAudio's thread wherever it is, in Python too, which ends the process.
                stream.stop()
            with contextlib.suppress(self._sounddevice.PortAudioError):
                stream.close()

    def _opened(self, take: Take, give: Give) -> list[Any]:
        source, out, package = self.input, self.output, self._sounddevice
        shared = {"dtype": "float32", "latency": "low"}
        taking = {**shared, "samplerate": source.sample_rate, "blocksize": source.block_size}

        def both(heard: Any, played: Any, _count: int, _time: Any, status: Any) -> None:
            self._guarded(take, heard, status)
            played.fill(0.0)
            self._guarded(give, played, False)

        def hear(heard: Any, _count: int, _time: Any, status: Any) -> None:
            self._guarded(take, heard, status)

        def play(played: Any, _count: int, _time: Any, status: Any) -> None:
            played.fill(0.0)
            self._guarded(give, played, status)

        microphone, speaker = self._numbers
        if out is None:
            return [package.InputStream(device=microphone, channels=source.channels, callback=hear, **taking)]
        if self.one_clock:
            channels = (source.channels, out.channels)
            return [package.Stream(device=(microphone, speaker), channels=channels, callback=both, **taking)]
        playing = {**shared, "samplerate": out.sample_rate, "blocksize": out.block_size}
        streams = [package.InputStream(device=microphone, channels=source.channels, callback=hear, **taking)]
        # The first belongs to us already, should the second not open.
        self._streams = streams
        streams.append(package.OutputStream(device=speaker, channels=out.channels, callback=play, **playing))
        return streams

    def _guarded(self, work: Take | Give, frames: Any, status: Any) -> None:
        """Do the work of a callback, out of which no exception may come: PortAudio would end the stream."""
        if status:
            self.xruns += 1
        try:
            work(frames.T)
        except Exception as error:
            self._error = self._error or one_line(error)


def _both(latency: Any) -> tuple[float, ...]:
    return tuple(latency) if isinstance(latency, (tuple, list)) else (float(latency),)
