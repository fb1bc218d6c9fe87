"""Small files written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from unmuffle.signal.files.targets import AtomicFile, told_as


@contextlib.contextmanager
def new_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file that takes its name when the block ends, and of which nothing stays when it ends by an exception.

    Raises
    ------
    AudioFileError
        When it cannot be written; what was there under that name stays as it was.
    """
    target = AtomicFile(Path(path), "tmp", overwrite=True)
    try:
        with told_as(target.name):
            yield target.open()
        target.commit()
    except BaseException:
        target.abort()
        raise


def encoded(text: str) -> bytes:
    """Return text as UTF-8, with what has no code in it (parts of undecodable file names) written as an escape."""
    return text.encode("utf-8", "backslashreplace")
