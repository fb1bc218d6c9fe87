"""What would keep a server from working, found before it starts, so that it is told in one line and once."""

from __future__ import annotations

import tempfile
from pathlib import Path

from unmuffle.errors import UnmuffleError
from unmuffle.serve.parameters import AUTO
from unmuffle.serve.settings import ServerSettings
from unmuffle.serve.temporary import PrivateFolder


def check_start(settings: ServerSettings) -> None:
    """Try what the settings name: the network, and the folders.

    Raises
    ------
    UnmuffleError
        With what is wrong.
    """
    PrivateFolder(settings.temp_dir).close()
    if settings.cache is not None:
        _check_cache(settings.cache)
    if settings.model != AUTO:
        from unmuffle.serve.pool import StreamPool

        StreamPool(settings.model, 1, on_overload="keep")


def _check_cache(folder: Path) -> None:
    """Write to the folder: where a cache cannot, it is only never of use, which nobody would notice."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UnmuffleError(f"the cache cannot be kept in {folder}: {error.strerror or error}") from error
