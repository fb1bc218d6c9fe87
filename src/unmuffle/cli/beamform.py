"""``unmuffle beamform``: one channel of the voice out of many microphones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from unmuffle.cli.console import messages, plain_errors
from unmuffle.cli.timespan import parse_noise_profile
from unmuffle.errors import InvalidParameterError

if TYPE_CHECKING:
    from unmuffle.array import BeamformReport


@plain_errors
def command(
    file: Annotated[str, typer.Argument(metavar="IN", help="Recording of 2 or more microphones, one a channel.")],
    output: Annotated[str, typer.Option("--output", "-o", help="A file of one channel.")],
    geometry: Annotated[
        str | None, typer.Option("--geometry", "-g", help="Where the microphones are: a name, .toml or .csv.")
    ] = None,
    method: Annotated[
        str, typer.Option(help="mask-mvdr, gev, mwf, mvdr, lcmv, das, superdirective or gsc.")
    ] = "mask-mvdr",
    toward: Annotated[str, typer.Option(help="The voice: auto, or azimuth[,elevation[,metres]].")] = "auto",
    null: Annotated[list[str] | None, typer.Option(help="Direction to take out, for lcmv; may be repeated.")] = None,
    noise_profile: Annotated[
        str | None, typer.Option(help="Span of noise alone, such as 0:00-0:01.5, for mvdr and lcmv.", metavar="SPAN")
    ] = None,
    reference: Annotated[int, typer.Option(help="Channel whose voice is kept; -1 for the best SNR.")] = -1,
    online: Annotated[bool, typer.Option("--online", help="Follow a voice that moves, as a live stream does.")] = False,
    postfilter: Annotated[
        str, typer.Option(help="After a steered beam: none, zelinski or mccowan (noise from all sides).")
    ] = "none",
    wpe: Annotated[bool, typer.Option("--wpe", help="Take reverberation off all microphones first.")] = False,
    denoise: Annotated[bool, typer.Option("--denoise", help="Take off what noise the beam has left.")] = False,
    no_check: Annotated[bool, typer.Option("--no-check", help="Use faulty microphones as well.")] = False,
    temperature: Annotated[float, typer.Option(help="Of the air, in degrees Celsius.")] = 20.0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the result if it exists.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Make one channel of the voice from an array."""
    from unmuffle.array.beamform_options import BeamformOptions
    from unmuffle.array.choice import BeamChoice
    from unmuffle.array.files import beamform_file

    choice = BeamChoice(method, toward, ";".join(null or []), reference, temperature, postfilter)
    noise = None if noise_profile is None else _span(noise_profile)
    options = BeamformOptions(choice, noise, online, denoise, wpe, not no_check)
    report = beamform_file(file, output, geometry, options, overwrite=overwrite)
    if quiet:
        return
    swapped = [] if report.swapped is None else [f"{report.swapped}; they are taken the other way round"]
    for warning in (*(f"{fault}: left out" for fault in report.left_out), *swapped, *report.warnings):
        messages.print(f"warning: {warning}", style="yellow", markup=False)
    messages.print(f"{output}: {_summary(report)}", markup=False)


def _span(text: str) -> tuple[float, float]:
    found = parse_noise_profile(text)
    if isinstance(found, str):
        raise InvalidParameterError(f"--noise-profile {text} is a file; it must be a span of the recording")
    return found


def _summary(report: BeamformReport) -> str:
    parts = [report.method]
    if report.toward is not None:
        parts.append(f"toward {report.toward}")
    if report.reference is not None:
        parts.append(f"the voice as at microphone {report.reference}")
    return ", ".join(parts)
