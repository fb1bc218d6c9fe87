"""Training needs packages of its own; say so in one line where they are missing."""

from __future__ import annotations

from importlib.util import find_spec

from unmuffle.errors import MissingExtraError


def need_training(*packages: str) -> None:
    """Raise ``MissingExtraError`` unless torch, and the other packages named, are installed."""
    for package in ("torch", *packages):
        if find_spec(package) is None:
            raise MissingExtraError(
                f'training needs the package {package}: pip install "unmuffle[train]"', name=package
            )
