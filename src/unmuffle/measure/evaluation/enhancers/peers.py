"""Packages of others that enhance: loaded when first asked for, and named where they are missing."""

from __future__ import annotations

from importlib import metadata
from typing import Any

from unmuffle.measure.extras import PEERS, load_package, missing_package

_PURPOSE = "this enhancer"


def load_peer(module: str) -> Any:
    """Return a module of a package of the ``peers`` extra, or raise ``MissingExtraError``."""
    return load_package(module, PEERS, _PURPOSE)


def peer_version(package: str) -> str:
    """Return name and version of a package of the ``peers`` extra, or raise ``MissingExtraError``."""
    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        raise missing_package(package, PEERS, _PURPOSE) from None
