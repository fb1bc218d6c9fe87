"""Packages of the extras: loaded when first asked for, and named where they are missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from unmuffle.errors import MissingExtraError

METRICS = '"unmuffle[metrics]"'
DNSMOS = '"unmuffle[dnsmos]"'
REPORT = '"unmuffle[report]"'
IMPACT = '"unmuffle[impact]"'
SPEAKERS = '"unmuffle[speakers]"'
PEERS = '"unmuffle[peers]"'


def load_package(module: str, install: str, purpose: str = "this measure") -> Any:
    """Return a module of a package that may not be installed.

    Parameters
    ----------
    module : str
        Its dotted name.
    install : str
        What ``pip install`` is told for it, such as one of the extras named here.
    purpose : str
        What needs it, for the message.

    Raises
    ------
    MissingExtraError
        If the package, or one that it needs, is not installed, with the command that installs it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = (error.name or module).partition(".")[0]
        raise missing_package(package, install, purpose) from None


def missing_package(package: str, install: str, purpose: str) -> MissingExtraError:
    """Return the error that names a package, what needs it, and the command that installs it."""
    return MissingExtraError(f"{purpose} needs the package {package}: pip install {install}", name=package)
