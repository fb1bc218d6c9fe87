"""What all commands share: where messages go, and how errors end a command."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import TypeVar

import typer
from rich.console import Console

from unmuffle.errors import UnmuffleError

ResultT = TypeVar("ResultT")

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130

messages = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)
"""For people: standard output may be carrying audio."""


def fail(message: object) -> typer.Exit:
    """Print one line that says what was wrong, and return the exception that ends the command."""
    messages.print(f"unmuffle: {message}", style="red", markup=False)
    return typer.Exit(EXIT_FAILED)


def plain_errors(command: Callable[..., ResultT]) -> Callable[..., ResultT]:
    """Have a command end with one line, not a traceback, when something expected goes wrong."""

    @functools.wraps(command)
    def wrapped(*args: object, **kwargs: object) -> ResultT:
        try:
            return command(*args, **kwargs)
        except UnmuffleError as error:
            raise fail(error) from error
        except BrokenPipeError as error:
            # Whoever reads our output has gone; keep Python from complaining of it at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(EXIT_FAILED) from error
        except OSError as error:
            raise fail(f"{error.filename or 'the system'}: {error.strerror or error}") from error
        except KeyboardInterrupt as error:
            messages.print("unmuffle: interrupted; nothing half-written was left behind", markup=False)
            raise typer.Exit(EXIT_INTERRUPTED) from error

    return wrapped
