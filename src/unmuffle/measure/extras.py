"""Measures that another package computes: it is loaded when first asked for, and named where it is missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from unmuffle.errors import MissingExtraError


def load_metric(package: str) -> Any:
    """Return the module of a package of the ``metrics`` extra, or raise ``MissingExtraError``."""
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise MissingExtraError(
            f'this measure needs the package {package}: pip install "unmuffle[metrics]"', name=package
        ) from None
