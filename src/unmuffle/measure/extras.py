"""Packages of the extras: loaded when first asked for, and named where they are missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from unmuffle.errors import MissingExtraError


def load_package(module: str, extra: str, purpose: str = "this measure") -> Any:
    """Return a module of a package of an extra.

    Raises
    ------
    MissingExtraError
        If the package, or one that it needs, is not installed, with the command that installs it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = (error.name or module).partition(".")[0]
        raise MissingExtraError(
            f'{purpose} needs the package {package}: pip install "unmuffle[{extra}]"', name=package
        ) from None
