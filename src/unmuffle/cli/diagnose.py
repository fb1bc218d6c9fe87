"""``unmuffle diagnose``: what is wrong with a recording, and what treats it."""

from __future__ import annotations

import json
import shlex
from typing import Annotated

import typer

from unmuffle.cli.console import messages, plain_errors
from unmuffle.measure.diagnosis import Diagnosis, Finding, diagnose_file
from unmuffle.measure.single.wording import clock
from unmuffle.signal.files import RawFormat

_MARKS = {"serious": "!!", "mild": "! ", "note": "  "}


@plain_errors
def command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Audio or video file, or - for standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    raw: Annotated[
        str | None, typer.Option(help="The input is headerless PCM, e.g. s16le,48000,1.", metavar="FORMAT")
    ] = None,
) -> None:
    """Say what is wrong with a recording, and what treats it."""
    diagnosis = diagnose_file(file, raw=None if raw is None else RawFormat.parse(raw))
    if as_json:
        typer.echo(json.dumps({"file": file, **diagnosis.to_dict()}, indent=2, ensure_ascii=False))
        return
    for finding in diagnosis.findings:
        typer.echo(_line(finding))
    for warning in diagnosis.warnings:
        messages.print(f"warning: {warning}", style="yellow", markup=False)
    if diagnosis.heard_s < diagnosis.seconds - 1.0:
        messages.print(f"listened to {clock(diagnosis.heard_s)} of {clock(diagnosis.seconds)}", markup=False)
    if diagnosis.chain:
        typer.echo(f"\n{_suggestion(file, raw, diagnosis)}")


def _line(finding: Finding) -> str:
    number = f" ({finding.number})" if finding.number else ""
    treated = f" -> {','.join(map(str, finding.stages))}" if finding.stages else ""
    return f"{_MARKS[finding.severity]} {finding.key.replace('_', ' ')}: {finding.text}{number}{treated}"


def _suggestion(file: str, raw: str | None, diagnosis: Diagnosis) -> str:
    """Return the command that applies the chain, to be copied."""
    words = ["unmuffle", "enhance", file, "--chain", str(diagnosis)]
    return shlex.join(words if raw is None else [*words, "--raw", raw])
