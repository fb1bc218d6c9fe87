"""The command ``unmuffle``: one file a command."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from unmuffle.cli.app import app

    app()
