"""``unmuffle cache``: what results are kept, and removing them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from unmuffle.cache import Cache, CacheStatistics
from unmuffle.cli.console import plain_errors

app = typer.Typer(
    name="cache",
    help="Results that are kept by 'unmuffle enhance --cache'.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Folder = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Another cache than the one in your own folder for caches.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


@app.command("stats")
@plain_errors
def stats(folder: Folder = None, as_json: AsJson = False) -> None:
    """Tell how full the cache is, and how often it had the answer."""
    with Cache(folder) as cache:
        found = cache.statistics
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2))
        return
    typer.echo(f"folder: {found.folder}")
    typer.echo(f"kept: {_amount(found)} of at most {_size(found.limit_bytes)}")
    if found.hit_rate is None:
        typer.echo("found: nothing was asked for yet")
    else:
        typer.echo(f"found: {found.hits} of {found.hits + found.misses} asked for ({100.0 * found.hit_rate:.0f} %)")
    typer.echo(f"stored: {found.stored}, two for a file: its result and its report")
    typer.echo(f"removed: {found.evicted} for want of room, {found.expired} by age, {found.damaged} damaged")


@app.command("clear")
@plain_errors
def clear(folder: Folder = None, as_json: AsJson = False) -> None:
    """Remove all that is kept; the counters begin anew."""
    with Cache(folder) as cache:
        before = cache.statistics
        cache.clear()
    if as_json:
        told = {"folder": before.folder, "removed_entries": before.entries, "removed_bytes": before.size_bytes}
        typer.echo(json.dumps(told, indent=2))
    else:
        typer.echo(f"removed {_amount(before)} from {before.folder}")


def _amount(found: CacheStatistics) -> str:
    return f"{found.entries} {'entry' if found.entries == 1 else 'entries'}, {_size(found.size_bytes)}"


def _size(count: int) -> str:
    """Say a number of bytes in the largest unit of which there is one.

    >>> _size(0), _size(1536), _size(3 << 30)
    ('0 B', '1.5 KiB', '3.0 GiB')
    """
    size, power = float(count), 0
    while size >= 1024 and power < len(_UNITS) - 1:
        size, power = size / 1024, power + 1
    return f"{size:.1f} {_UNITS[power]}" if power else f"{count} B"
