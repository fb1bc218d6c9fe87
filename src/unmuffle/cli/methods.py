"""``unmuffle methods``: what ``--method`` may be."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from unmuffle.denoise import AUTO, METHODS


def command() -> None:
    """List what --method may be."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    table.add_row("auto", f"the best there is: now {AUTO}")
    for method in METHODS.values():
        table.add_row(method.name, method.summary)
    Console(highlight=False).print(table)
