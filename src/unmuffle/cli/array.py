"""``unmuffle array``: the arrays that are known, and how beams of them hear."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import typer

from unmuffle.cli.console import messages, plain_errors

app = typer.Typer(
    help="Known microphone arrays, and how their beams hear.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

OCTAVES_HZ = (125.0, 250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0)


@app.command("list")
@plain_errors
def list_arrays() -> None:
    """List the arrays that come with the package."""
    from unmuffle.array.geometry_files import as_geometry, list_geometries

    for name in list_geometries():
        array = as_geometry(name)
        typer.echo(
            f"{name:12} {array.microphones} microphones, {100 * array.aperture_m:.1f} cm across, "
            f"ghosts above {array.aliasing_hz:.0f} Hz"
        )


@app.command("pattern")
@plain_errors
def pattern(
    geometry: Annotated[str, typer.Option("--geometry", "-g", help="A name, .toml or .csv.")],
    toward: Annotated[str, typer.Option(help="The voice: azimuth[,elevation[,metres]].")] = "90",
    method: Annotated[str, typer.Option(help="das, superdirective, mvdr or lcmv.")] = "das",
    null: Annotated[list[str] | None, typer.Option(help="Direction to take out, for lcmv; may be repeated.")] = None,
    rate: Annotated[int, typer.Option(help="Sample rate in Hz.")] = 16_000,
    temperature: Annotated[float, typer.Option(help="Of the air, in degrees Celsius.")] = 20.0,
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="A figure: .png, .svg or .pdf.", metavar="FILE")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a figure that exists.")] = False,
) -> None:
    """Tell or draw a beam's pattern, directivity and white-noise gain."""
    from unmuffle.array.beamformer import FixedBeamformer
    from unmuffle.array.choice import BeamChoice
    from unmuffle.array.geometry_files import as_geometry
    from unmuffle.array.pattern import beam_pattern
    from unmuffle.errors import InvalidParameterError

    array = as_geometry(geometry)
    choice = BeamChoice(method, toward, ";".join(null or []), temperature_c=temperature)
    if choice.solver is not None or choice.is_auto:
        raise InvalidParameterError("a pattern needs a direction and a method that is steered: das --toward 90")
    beam = choice.online(rate, array.microphones, array, toward)
    if not isinstance(beam, FixedBeamformer):
        raise InvalidParameterError(f"{method} adapts to what it hears and has no pattern of its own: choose das")
    hz = beam.grid.frequencies_hz
    found = beam_pattern(beam.weights.astype(np.complex128), array, hz, toward, temperature_c=temperature)
    if warning := array.aliasing_warning(rate):
        messages.print(f"warning: {warning}", style="yellow", markup=False)
    typer.echo(f"{'Hz':>7} {'directivity':>12} {'white-noise gain':>17}")
    for octave in OCTAVES_HZ:
        if octave <= rate / 2.0:
            at = int(np.abs(hz - octave).argmin())
            typer.echo(f"{octave:7.0f} {found.directivity_db[at]:9.1f} dB {found.white_noise_gain_db[at]:14.1f} dB")
    if output is not None:
        from unmuffle.cli.array_drawing import draw_pattern
        from unmuffle.measure.spectra.saving import check_destination, save_figure
        from unmuffle.measure.spectra.style import require_matplotlib

        require_matplotlib()
        check_destination(output, overwrite=overwrite)
        save_figure(draw_pattern(found, f"{array.name}, {method} toward {toward}"), output, overwrite=overwrite)
        messages.print(output, markup=False)
