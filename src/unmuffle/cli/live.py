"""``unmuffle live``: the microphone, enhanced, to headphones, to a virtual microphone or into a file."""

from __future__ import annotations

import contextlib
import gc
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live

from unmuffle.cli.console import EXIT_FAILED, messages, plain_errors
from unmuffle.cli.live_meters import meters, summary
from unmuffle.cli.strength import parse_strength
from unmuffle.enhancer import Enhancer, EnhancerStream
from unmuffle.enhancer.overload import OnOverload
from unmuffle.errors import InvalidParameterError
from unmuffle.live import (
    Device,
    FileDevice,
    LiveLoop,
    Recorder,
    SoundCard,
    SoundDevice,
    choose_device,
    list_devices,
    measure_latency,
)
from unmuffle.live.latency import HEARD_DB

NO_OUTPUT = "none"
SHOWN_EVERY_S = 0.1
MEASURED_RATE_HZ = 48_000
SWITCHED_EVERY_S = 0.001
"""How long a thread may keep the interpreter to itself; as Python starts it is 5 ms."""


@plain_errors
def command(
    input_device: Annotated[
        str | None, typer.Option("--input", help="Microphone: a number or a part of its name.", metavar="DEVICE")
    ] = None,
    output_device: Annotated[
        str | None,
        typer.Option("--output", help="Where it goes: a number, a part of a name, or none.", metavar="DEVICE|none"),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="A chain for a purpose, such as meeting.", metavar="NAME|FILE")
    ] = None,
    chain: Annotated[
        str | None, typer.Option(help="Stages with commas between them: see 'unmuffle presets --stages'.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="A network: see 'unmuffle models', or an .onnx file.", metavar="NAME|FILE")
    ] = None,
    method: Annotated[str, typer.Option(help="See 'unmuffle methods'.")] = "auto",
    strength: Annotated[
        str,
        typer.Option(help="How much of the effect is heard, 0 to 1; 'auto' follows the noise.", metavar="SHARE|auto"),
    ] = "1",
    max_attenuation_db: Annotated[float | None, typer.Option(help="Attenuate nothing by more than this.")] = None,
    on_overload: Annotated[
        OnOverload, typer.Option(help="Where the machine cannot keep up, do less, or do all of it late.")
    ] = "step_down",
    channels: Annotated[int, typer.Option(min=1, help="Channels of the microphone.")] = 1,
    rate: Annotated[
        int | None, typer.Option(help="Sample rate in Hz. [default: that of each device; measured at 48000]")
    ] = None,
    block_ms: Annotated[
        float | None, typer.Option(help="Length of a block, 1 to 100 ms. [default: half a frame, 8]")
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(help="Record both sides: FILE and FILE's name with .noisy, or by time in FOLDER."),
    ] = None,
    loopback: Annotated[
        str | None, typer.Option(help="Take this file for the microphone; nothing is played.", metavar="FILE")
    ] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="End after so long. [default: Ctrl-C]")] = None,
    list_all: Annotated[bool, typer.Option("--list", help="List the sound devices.")] = False,
    measure: Annotated[
        bool, typer.Option("--measure", help="Measure the delay from end to end, without a device.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no meters, and say nothing but errors.")] = False,
) -> None:
    """Enhance the microphone while you talk."""
    if list_all:
        _print_devices(list_devices())
        return
    enhancer = Enhancer(
        method,
        parse_strength(strength),
        # An enhancer takes the chirps of the measurement for noise.
        HEARD_DB if measure else max_attenuation_db,
        preset=preset,
        chain=chain,
        model=model,
    )

    def open_stream(sample_rate: int, channels: int, block_size: int) -> EnhancerStream:
        return enhancer.open_stream(sample_rate, channels, block_size, on_overload=on_overload)

    if measure:
        with _short_pauses():
            told = measure_latency(open_stream, rate or MEASURED_RATE_HZ, block_ms=block_ms, seconds=seconds or 5.0)
        typer.echo("\n".join(told.lines()))
        return
    device = _device(input_device, output_device, loopback, channels, rate, block_ms)
    side = device.input
    stream = open_stream(side.sample_rate, side.channels, side.block_size)
    recorder = None
    if record is not None:
        recorder = Recorder(_recording(record), side.sample_rate, side.channels, stream.latency)
    _run(LiveLoop(device, stream, recorder), recorder, seconds, quiet=quiet)


def _device(
    microphone: str | None,
    speaker: str | None,
    loopback: str | None,
    channels: int,
    rate: int | None,
    block_ms: float | None,
) -> Device:
    if loopback is not None:
        if microphone is not None or speaker is not None:
            raise InvalidParameterError("--loopback takes the place of --input and --output: leave them out")
        return FileDevice(loopback, block_ms=block_ms)
    devices = list_devices()
    played = None
    if speaker is None or speaker.strip().lower() != NO_OUTPUT:
        played = choose_device(devices, speaker, "output")
    heard = choose_device(devices, microphone, "input")
    return SoundCard(heard, played, channels=channels, sample_rate=rate, block_ms=block_ms)


def _recording(given: str) -> Path:
    """Return the file to record to; in a folder it is named by the time."""
    path = Path(given)
    if path.suffix and not path.is_dir():
        return path
    return path / f"live-{datetime.now().astimezone():%Y%m%d-%H%M%S}.wav"


def _run(loop: LiveLoop, recorder: Recorder | None, seconds: float | None, *, quiet: bool) -> None:
    device = loop.device
    shown = not quiet and messages.is_terminal
    if not quiet:
        played = "nothing" if device.output is None else device.output.name
        messages.print(f"{device.input.name} ({device.input.sample_rate:,} Hz) to {played}", markup=False)
    display = Live(console=messages, auto_refresh=False, transient=True) if shown else None
    gone = False
    # Ctrl-C is how one ends it.
    with contextlib.suppress(KeyboardInterrupt), _short_pauses(), loop, display or contextlib.nullcontext():
        began_s = time.monotonic()
        while device.active and (seconds is None or time.monotonic() - began_s < seconds):
            time.sleep(SHOWN_EVERY_S)
            if display is not None:
                display.update(meters(loop.report, recorder), refresh=True)
        gone = not device.active and not isinstance(device, FileDevice)
    _tell(loop, recorder, quiet=quiet)
    if gone:
        messages.print(
            f"unmuffle: {device.input.name} has gone: it was pulled out, or the sound system ended", style="red"
        )
    if gone or device.error or loop.error or (recorder is not None and recorder.error):
        raise typer.Exit(EXIT_FAILED)


@contextlib.contextmanager
def _short_pauses() -> Iterator[None]:
    """Keep Python's other threads and its collector of garbage from holding a callback up for most of a block."""
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCHED_EVERY_S)
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(before_s)


def _tell(loop: LiveLoop, recorder: Recorder | None, *, quiet: bool) -> None:
    """Say what became of it all; errors also when quiet."""
    for error in (loop.device.error, loop.error, None if recorder is None else recorder.error):
        if error:
            messages.print(f"unmuffle: {error}", style="red", markup=False)
    if quiet:
        return
    for line in summary(loop.report):
        messages.print(line, markup=False)
    if recorder is not None and recorder.seconds:
        messages.print(f"recorded: {recorder.paths[0]} and {recorder.paths[1]}", markup=False)


def _print_devices(devices: list[SoundDevice]) -> None:
    if not devices:
        typer.echo("this system has no sound device: 'unmuffle live --loopback FILE' runs without")
    for device in devices:
        default = "default " + " and ".join(device.is_default) if device.is_default else ""
        ways = f"{device.inputs} in, {device.outputs} out"
        line = f"{device.number:>3}  {ways:<16} {device.sample_rate:>6} Hz  {device.name} ({device.host})  {default}"
        typer.echo(line.rstrip())
