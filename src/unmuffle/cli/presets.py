"""``unmuffle presets``: the named chains there are, and the stages they are made of."""

from __future__ import annotations

from typing import Annotated

import typer

from unmuffle.cli.console import plain_errors
from unmuffle.presets import STAGES, Stage, StageChoice, list_presets, options_of, preset_file


@plain_errors
def command(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME|FILE]", help="Print the TOML of one, to write one's own from.")
    ] = None,
    stages: Annotated[bool, typer.Option("--stages", help="List the stages, with their options.")] = False,
) -> None:
    """List presets, or the stages that chains are made of."""
    if stages:
        for stage in STAGES.values():
            _print_stage(stage)
    elif name is not None:
        typer.echo(preset_file(name).read_text(encoding="utf-8").rstrip())
    else:
        for preset in list_presets():
            typer.echo(f"{preset.name:<12} {preset.summary}")
            typer.echo(f"{'':<12} {' > '.join(map(_short, preset.chain))}")


def _short(choice: StageChoice) -> str:
    return str(choice).replace(":", " ", 1).replace(":", ", ")


def _print_stage(stage: Stage) -> None:
    typer.echo(f"{stage.name:<10} {stage.summary}")
    options = [f"{name}={option.default}" for name, option in options_of(stage).items()]
    typer.echo(f"{'':<10} {', '.join(options) or 'no options'}")
