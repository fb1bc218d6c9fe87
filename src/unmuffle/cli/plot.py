"""``unmuffle plot``: what is in a recording, and what became of it, as a picture."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from unmuffle.cli.console import messages, plain_errors
from unmuffle.cli.timespan import parse_time
from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.process.strength_over_time import read_strength_csv
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.files import open_reader

_ROLES = ("noisy", "enhanced", "clean")
_SLACK_S = 0.25
"""Codecs and delays leave some more samples at the end; more than this is another recording."""

_BLOCK = 1 << 16
_LONGEST_LABEL = 70


@plain_errors
def command(
    noisy: Annotated[str, typer.Argument(metavar="NOISY", help="A recording.")],
    enhanced: Annotated[str | None, typer.Argument(metavar="ENHANCED", help="What became of it.")] = None,
    clean: Annotated[str | None, typer.Argument(metavar="CLEAN", help="The clean recording.")] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="Ends in .png, .svg or .pdf. [default: NOISY.plot.png]", metavar="FILE"),
    ] = None,
    start: Annotated[str | None, typer.Option(help="Draw from this time on, such as 1:30.", metavar="TIME")] = None,
    end: Annotated[str | None, typer.Option(help="Draw up to this time.", metavar="TIME")] = None,
    scale: Annotated[str, typer.Option(help="Of the frequencies: linear, log or mel.")] = "linear",
    max_hz: Annotated[float | None, typer.Option(help="Highest frequency shown.")] = None,
    range_db: Annotated[float, typer.Option(help="What is further below the highest level is black.")] = 70.0,
    dark: Annotated[bool, typer.Option("--dark", help="Light on dark.")] = False,
    dpi: Annotated[float, typer.Option(help="Pixels per inch; the figure is 11 inches wide.")] = 150.0,
    strength: Annotated[
        Path | None,
        typer.Option(help="Also draw this strength over time, from 'unmuffle enhance --save-strength'."),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Over all.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a figure that exists.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Draw spectrograms, gains and long-term spectra of files."""
    from unmuffle.measure.spectra.figure import FigureLook, draw_in_step
    from unmuffle.measure.spectra.in_step import delay_notes, in_step
    from unmuffle.measure.spectra.saving import check_destination, save_figure
    from unmuffle.measure.spectra.style import require_matplotlib

    require_matplotlib()
    names = {role: name for role, name in zip(_ROLES, (noisy, enhanced, clean), strict=True) if name is not None}
    if output is None and noisy == "-":
        raise InvalidParameterError("a figure of standard input needs a name: give one with --output")
    destination = output or str(Path(noisy).with_suffix(".plot.png"))
    # What can be known to fail is told before anything long is done.
    check_destination(destination, overwrite=overwrite)
    track = None if strength is None else read_strength_csv(strength)
    span = _span(start, end)
    look = FigureLook(title, _labels(names), dark, scale, max_hz, range_db, span[0])
    signals, rate = _read_alike(names, span)
    common = in_step(signals, rate)
    save_figure(draw_in_step(common, rate, look, track), destination, dpi=dpi, overwrite=overwrite)
    if not quiet:
        for note in delay_notes({names[role]: delay_s for role, delay_s in common.delays_s.items()}):
            messages.print(note, markup=False)
        messages.print(destination, markup=False)


def _labels(names: dict[str, str]) -> dict[str, str]:
    files = {role: _short(Path(name).name) for role, name in names.items()}
    return files if len(files) == 1 else {role: f"{role.capitalize()}: {file}" for role, file in files.items()}


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_LABEL else "..." + name[3 - _LONGEST_LABEL :]


def _span(start: str | None, end: str | None) -> tuple[float, float | None]:
    first = 0.0 if start is None else _time("--start", start)
    last = None if end is None else _time("--end", end)
    if last is not None and last <= first:
        raise InvalidParameterError(f"--end {end} is not after --start {start or 0}")
    return first, last


def _time(option: str, text: str) -> float:
    try:
        seconds = parse_time(text)
    except ValueError:
        seconds = -1.0
    if not isfinite(seconds) or seconds < 0.0:
        raise InvalidParameterError(f"{option} {text!r} is no time: give seconds, or such as 1:30 or 0:01:30.5")
    return seconds


def _read_alike(names: dict[str, str], span: tuple[float, float | None]) -> tuple[dict[str, FloatArray], int]:
    """Read all files, and cut them to the length that they have in common."""
    first = names["noisy"]
    signals, rate = {}, 0
    for role, name in names.items():
        signals[role], its_rate = _read(name, span)
        if role == "noisy":
            rate = its_rate
        if its_rate != rate:
            raise AudioFileError(f"{name} has {its_rate} Hz and {first} {rate} Hz: resample one of them first")
        if len(signals[role]) != len(signals["noisy"]):
            raise AudioFileError(f"{name} has {len(signals[role])} channel(s) and {first} {len(signals['noisy'])}")
    lengths = {name: signals[role].shape[1] for role, name in names.items()}
    shortest, longest = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
    if lengths[longest] - lengths[shortest] > _SLACK_S * rate:
        raise AudioFileError(
            f"{longest} has {lengths[longest] / rate:.2f} s and {shortest} {lengths[shortest] / rate:.2f} s: "
            "give versions of one recording, or a span of it with --start and --end"
        )
    return {role: audio[:, : lengths[shortest]] for role, audio in signals.items()}, rate


def _read(name: str, span: tuple[float, float | None]) -> tuple[FloatArray, int]:
    start_s, end_s = span
    with open_reader(name) as reader:
        rate = reader.info.sample_rate
        start = round(start_s * rate)
        while reader.position < start:
            if not reader.read(min(_BLOCK, start - reader.position)).shape[1]:
                seconds = reader.position / rate
                raise InvalidParameterError(f"--start {start_s:g} lies behind the end of {name} at {seconds:.2f} s")
        blocks = list(reader.blocks(_BLOCK)) if end_s is None else [reader.read(max(round(end_s * rate) - start, 1))]
    if not sum(block.shape[1] for block in blocks):
        raise InvalidParameterError(f"--start {start_s:g} is the end of {name}")
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1), rate
