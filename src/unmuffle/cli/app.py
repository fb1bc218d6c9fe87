"""All commands put together."""

from __future__ import annotations

from typing import Annotated

import typer

from unmuffle._version import __version__
from unmuffle.cli import doctor, enhance, evaluate, impact, info, methods, mix, models, plot, qa, score, train

app = typer.Typer(
    name="unmuffle",
    help="Make voices clear: noise reduction for any audio or video file, on a plain CPU.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    # Boxes drawn around the help cut the names of long options.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("enhance", no_args_is_help=True)(enhance.command)
app.command("info", no_args_is_help=True)(info.command)
app.command("score", no_args_is_help=True)(score.command)
app.command("evaluate", no_args_is_help=True)(evaluate.command)
app.command("impact", no_args_is_help=True)(impact.command)
app.command("mix", no_args_is_help=True)(mix.command)
app.command("plot", no_args_is_help=True)(plot.command)
app.command("qa", no_args_is_help=True)(qa.command)
app.add_typer(train.app, name="train")
app.command("methods")(methods.command)
app.command("models")(models.command)
app.command("doctor")(doctor.command)


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
