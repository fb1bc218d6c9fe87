"""``unmuffle pipe``: headerless samples from standard input to standard output, as they come."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from unmuffle.cli.console import messages, plain_errors
from unmuffle.cli.live_meters import stepped_down
from unmuffle.cli.strength import parse_strength
from unmuffle.enhancer import Enhancer
from unmuffle.enhancer.overload import OnOverload
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.files.raw import RawFormat
from unmuffle.signal.files.samples import SAMPLE_BYTES, decode_pcm, encode_pcm

MOST_BYTES = 1 << 16
"""What is taken at once of a pipe that has more: a second of 32 kHz, so that memory stays small."""


@plain_errors
def command(
    rate: Annotated[int, typer.Option(help="Sample rate in Hz.")],
    channels: Annotated[int, typer.Option(min=1, help="Channels, interleaved.")] = 1,
    sample_format: Annotated[
        str, typer.Option("--format", help="Of the samples: s16le, s24le, s32le, f32le, u8 ...")
    ] = "s16le",
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
    ] = "keep",
) -> None:
    """Enhance raw samples on their way between two programs."""
    raw = RawFormat(sample_format.strip().lower(), rate, channels)
    enhancer = Enhancer(method, parse_strength(strength), max_attenuation_db, preset=preset, chain=chain, model=model)
    stream = enhancer.open_stream(raw.sample_rate, raw.channels, on_overload=on_overload)
    for block in _blocks(raw):
        _write(stream.process(block), raw)
    _write(stream.flush(), raw)
    if told := stepped_down(stream.load):
        messages.print(f"warning: {told}", style="yellow", markup=False)


def _blocks(raw: RawFormat) -> Iterator[FloatArray]:
    """Yield whatever the pipe has, as soon as it has it; samples that are cut in two wait for their end."""
    frame_bytes = SAMPLE_BYTES[raw.base_format] * raw.channels
    begun = b""
    while data := os.read(sys.stdin.fileno(), MOST_BYTES):
        data = begun + data
        whole = len(data) - len(data) % frame_bytes
        begun = data[whole:]
        if whole:
            yield decode_pcm(data[:whole], raw.base_format, raw.channels, big_endian=raw.big_endian)
    if begun:
        messages.print(f"warning: the last {len(begun)} bytes are no whole sample and were left out", style="yellow")


def _write(block: FloatArray, raw: RawFormat) -> None:
    if block.shape[1]:
        sys.stdout.buffer.write(encode_pcm(block, raw.base_format, big_endian=raw.big_endian)[0])
        sys.stdout.buffer.flush()
