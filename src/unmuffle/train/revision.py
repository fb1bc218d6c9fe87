"""Which state of the code trained a network."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

from unmuffle._version import __version__


@cache
def revision() -> str:
    """Return the version, with the git revision where this runs from a checkout that git knows."""
    git = shutil.which("git")
    if git is None:
        return __version__
    command = [git, "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (nothing from outside)
    return f"{__version__}+{told.stdout.strip()}" if told.returncode == 0 else __version__
