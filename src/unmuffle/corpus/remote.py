"""Files that are not on this machine, through fsspec."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from unmuffle.errors import AudioFileError
from unmuffle.measure.extras import load_package
from unmuffle.signal.files import is_media_name

CORPUS = '"unmuffle[corpus]"'
_URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")


def is_url(name: str) -> bool:
    """Return whether a name is a URL such as ``s3://bucket/talk.wav``."""
    return _URL.match(name) is not None


def open_url(url: str) -> BinaryIO:
    """Open what lies behind a URL, to be read.

    Raises
    ------
    AudioFileError
        If it cannot be reached, with the reason.
    MissingExtraError
        If fsspec, or what it needs for this kind of URL, is not installed.
    """
    fsspec = load_package("fsspec", CORPUS, f"a source such as {url}")
    try:
        opened: BinaryIO = fsspec.open(url, "rb").open()
    except (OSError, ValueError, ImportError) as error:
        raise AudioFileError(f"{url} cannot be read: {error}") from error
    return opened


def find_urls(folder: str) -> Iterator[tuple[str, str, str]]:
    """Yield audio and video behind a URL of a folder, through all levels.

    Yields
    ------
    (url, place, stamp)
        ``place`` is the path within the folder; ``stamp`` changes when the file does.
    """
    fsspec = load_package("fsspec", CORPUS, f"a source such as {folder}")
    try:
        files, root = fsspec.core.url_to_fs(folder)
        found = files.find(root, detail=True)
    except (OSError, ValueError, ImportError) as error:
        raise AudioFileError(f"{folder} cannot be read: {error}") from error
    for path in sorted(found):
        place = PurePosixPath(path).relative_to(PurePosixPath(root))
        if is_media_name(place) and not any(part.startswith(".") for part in place.parts):
            yield files.unstrip_protocol(path), str(place), _stamp(found[path])


def url_stamp(url: str) -> str:
    """Return what changes when the file behind a URL does; empty if it cannot be reached."""
    fsspec = load_package("fsspec", CORPUS, f"a source such as {url}")
    try:
        files, path = fsspec.core.url_to_fs(url)
        return _stamp(files.info(path))
    except (OSError, ValueError, ImportError):
        return ""


def _stamp(info: dict[str, Any]) -> str:
    changed = next((info[key] for key in ("ETag", "etag", "LastModified", "mtime", "created") if key in info), "")
    return f"{info.get('size')} {changed}"
