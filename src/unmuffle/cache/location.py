"""Where the cache lies unless told otherwise: the user's folder for caches, as each system has it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

VARIABLE = "UNMUFFLE_CACHE"
"""Environment variable that names another folder."""

_NAME = "unmuffle"


def default_folder() -> Path:
    r"""Return the folder: ``$UNMUFFLE_CACHE``, else that of the system.

    ``~/.cache/unmuffle`` (or under ``$XDG_CACHE_HOME``), on macOS ``~/Library/Caches/unmuffle``, on Windows
    ``%LOCALAPPDATA%\unmuffle\Cache``.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / _NAME / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / _NAME
    # The XDG specification has relative paths ignored.
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / _NAME
