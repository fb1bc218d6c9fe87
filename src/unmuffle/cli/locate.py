"""``unmuffle locate``: where the voices in a recording of an array are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from unmuffle.cli.console import messages, plain_errors

if TYPE_CHECKING:
    from unmuffle.array import FoundDirection


@plain_errors
def command(
    file: Annotated[str, typer.Argument(metavar="IN", help="Recording of 2 or more microphones, one a channel.")],
    geometry: Annotated[
        str, typer.Option("--geometry", "-g", help="Where the microphones are: a name, .toml or .csv.")
    ],
    method: Annotated[str, typer.Option(help="norm-music, music, srp-phat or gcc-phat.")] = "norm-music",
    sources: Annotated[int, typer.Option(help="How many to look for.")] = 1,
    every: Annotated[
        float | None, typer.Option(help="Follow them: an answer every so many seconds.", metavar="SECONDS")
    ] = None,
    elevation: Annotated[bool, typer.Option("--elevation", help="Look for elevations as well.")] = False,
    any_sound: Annotated[bool, typer.Option("--any-sound", help="Look for any sound, not for voices alone.")] = False,
    temperature: Annotated[float, typer.Option(help="Of the air, in degrees Celsius.")] = 20.0,
    plot: Annotated[
        str | None, typer.Option(help="Draw angle over time; ends in .png, .svg or .pdf.", metavar="FILE")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a figure that exists.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Tell where the voices around an array are."""
    from unmuffle.array.locate_files import locate_file

    if plot is not None:
        from unmuffle.measure.spectra.saving import check_destination
        from unmuffle.measure.spectra.style import require_matplotlib

        require_matplotlib()
        check_destination(plot, overwrite=overwrite)
        every = every or 0.25
    report = locate_file(
        file, geometry, every_s=every, method=method, sources=sources, voice_only=not any_sound, elevation=elevation,
        temperature_c=temperature,
    )  # fmt: skip
    for warning in (*(f"{fault}: left out" for fault in report.left_out), *report.warnings):
        messages.print(f"warning: {warning}", style="yellow", markup=False)
    if plot is not None:
        from unmuffle.cli.array_drawing import draw_directions
        from unmuffle.measure.spectra.saving import save_figure

        save_figure(draw_directions(report.found, report.geometry.dimensions == 1), plot, overwrite=overwrite)
        messages.print(plot, markup=False)
    found = report.found
    typer.echo(json.dumps([_told(one) for one in found], indent=2) if as_json else _listed(found, every is not None))


def _told(one: FoundDirection) -> dict[str, float | int]:
    return {
        "time_s": round(one.time_s, 3),
        "azimuth_deg": round(one.direction.azimuth_deg, 2),
        "elevation_deg": round(one.direction.elevation_deg, 2),
        "salience": round(one.salience, 3),
        "track": one.track,
    }


def _listed(found: list[FoundDirection], timed: bool) -> str:
    if not found:
        return "nothing was heard"
    lines = []
    for one in found:
        time = f"{one.time_s:8.2f} s  " if timed else ""
        lines.append(f"{time}source {one.track + 1}  {one.direction}  (stands out by {one.salience:.2f})")
    return "\n".join(lines)
