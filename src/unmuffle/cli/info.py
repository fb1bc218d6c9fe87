"""``unmuffle info``: what a recording is."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from unmuffle.cli.console import messages, plain_errors
from unmuffle.errors import ModelError
from unmuffle.measure import RecordingAnalyzer
from unmuffle.models import default_model
from unmuffle.signal.files import AudioInfo, RawFormat, open_reader


@plain_errors
def command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Audio or video file, or - for standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    raw: Annotated[
        str | None, typer.Option(help="The input is headerless PCM, e.g. s16le,48000,1.", metavar="FORMAT")
    ] = None,
) -> None:
    """Tell what a recording is: its format, level, noise, flaws."""
    with open_reader(file, raw=None if raw is None else RawFormat.parse(raw)) as reader:
        analyzer, failed = _analyzer(reader.info)
        for block in reader.blocks():
            analyzer.process(block)
        report, info, warnings = analyzer.report(), reader.info, [*failed, *reader.warnings]
    if as_json:
        contents = {"file": file, "format": asdict(info), "warnings": warnings, **report.to_dict()}
        typer.echo(json.dumps(contents, indent=2, ensure_ascii=False, default=str))
        return
    out = Console(highlight=False, emoji=False, soft_wrap=True)
    out.print(f"[bold]{escape(file)}[/bold]")
    out.print(_format_line(info), markup=False)
    for line in report.lines():
        out.print(line, markup=False)
    for warning in warnings:
        messages.print(f"warning: {warning}", style="yellow", markup=False)


def _analyzer(info: AudioInfo) -> tuple[RecordingAnalyzer, list[str]]:
    """Return an analyser that listens through the default network where there is one, and a warning if it cannot."""
    try:
        model = default_model()
        if model is not None:
            return RecordingAnalyzer(info.sample_rate, info.channels, model=model.name), []
    except ModelError as error:
        return RecordingAnalyzer(info.sample_rate, info.channels), [f"{error}; the SNR is estimated without it"]
    return RecordingAnalyzer(info.sample_rate, info.channels), []


def _format_line(info: AudioInfo) -> str:
    video = ", with picture" if info.has_video else ""
    return f"stored as: {info.codec} ({info.sample_format}) in {info.container}, {info.layout}{video}"
