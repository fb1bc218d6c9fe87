"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from importlib import metadata

from unmuffle.measure.evaluation.about import processor

PACKAGES = ("unmuffle", "numpy", "scipy", "noisereduce", "pyrnnoise", "pesq", "pystoi", "speechmos")


def describe_machine() -> str:
    """Return processor, cores and versions in one line."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    return f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}"
