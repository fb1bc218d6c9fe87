"""All commands put together."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from unmuffle._version import __version__

COMMANDS = (
    "enhance",
    "live",
    "pipe",
    "serve",
    "normalize",
    "beamform",
    "locate",
    "array",
    "info",
    "diagnose",
    "score",
    "evaluate",
    "impact",
    "mix",
    "corpus",
    "plot",
    "qa",
    "train",
    "presets",
    "methods",
    "models",
    "cache",
    "doctor",
)
"""Modules of this package, in the order of the help. Each has a ``command``, or an ``app`` of several."""

WITHOUT_ARGUMENTS = frozenset({"live", "serve", "presets", "methods", "models", "doctor"})
"""Commands that do something when called alone; the others then show their help."""


class OnDemand(TyperGroup):
    """Imports the module of a command when it is called: most commands need little of the package."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Return the names for the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Return a command, or None if there is none of the name."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"unmuffle.cli.{cmd_name}")
        if hasattr(module, "app"):
            return get_command(module.app)
        alone = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
        alone.command(cmd_name, no_args_is_help=cmd_name not in WITHOUT_ARGUMENTS)(module.command)
        return get_command(alone)


app = typer.Typer(
    name="unmuffle",
    cls=OnDemand,
    help="Make voices clear: noise reduction for any audio or video file, on a plain CPU.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    # Boxes drawn around the help cut the names of long options.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"unmuffle {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take the options that stand before any command."""
