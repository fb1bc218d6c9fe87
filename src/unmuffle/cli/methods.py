"""``unmuffle methods``: what ``--method`` may be."""

from __future__ import annotations

import typer

from unmuffle.cli.console import plain_errors
from unmuffle.denoise import METHODS
from unmuffle.denoise.choice import chosen_name


@plain_errors
def command() -> None:
    """List what --method may be."""
    lines = {"auto": f"the best there is: now {chosen_name()}"} | {
        method.name: method.summary for method in METHODS.values()
    }
    width = max(map(len, lines))
    for name, summary in lines.items():
        typer.echo(f"{name:<{width}}  {summary}")
