"""``unmuffle normalize``: a file at another loudness."""

from __future__ import annotations

from typing import Annotated

import typer

from unmuffle.cli.console import messages, plain_errors
from unmuffle.enhancer.files import FileReport
from unmuffle.enhancer.normalizing import normalize_file
from unmuffle.signal.files import RawFormat


@plain_errors
def command(
    file: Annotated[str, typer.Argument(metavar="IN", help="Audio or video file, or - for standard input.")],
    output: Annotated[str, typer.Option("--output", "-o", help="A file, or - for standard output.")],
    loudness: Annotated[
        str, typer.Option(help="LUFS, or podcast (-16), broadcast (-23), atsc (-24), streaming (-14).")
    ] = "-16",
    true_peak: Annotated[
        float | None, typer.Option(help="Ceiling of true peaks in dBTP. [default: -1; atsc -2]")
    ] = None,
    raw: Annotated[
        str | None, typer.Option(help="Input and output are headerless PCM, e.g. s16le,48000,1.", metavar="FORMAT")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the result if it exists.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Bring a file to a loudness, under a ceiling of peaks."""
    report = normalize_file(
        file,
        output,
        loudness=loudness,
        true_peak=true_peak,
        overwrite=overwrite,
        raw=None if raw is None else RawFormat.parse(raw),
    )
    if quiet:
        return
    for warning in report.warnings:
        messages.print(f"warning: {warning}", style="yellow", markup=False)
    messages.print(_summary(report), markup=False)


def _summary(report: FileReport) -> str:
    done = report.normalization
    if done is None:
        return report.destination
    return (
        f"{report.destination}: {done.after.lufs:.1f} LUFS, {done.after.dbtp:.1f} dBTP "
        f"(was {done.before.lufs:.1f} LUFS, {done.before.dbtp:.1f} dBTP; gain {done.gain_db:+.1f} dB)"
    )
