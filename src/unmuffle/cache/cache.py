"""Answers kept by what they were made of: a tier in memory before one on the disk that processes share.

Nothing is answered that is not, byte for byte, what was last put under the key: every entry is read against its
checksum, also in memory it counts only while the index names the same checksum, and whatever is not right is removed
and was never there. Nor does a cache stand in the way: where it fails, on a full disk or in a folder that may not be
written to, the failure is logged once and the answer is "not here".
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from unmuffle.cache import ledger
from unmuffle.cache.disk import DiskTier
from unmuffle.cache.keys import BLOCK_BYTES, checked
from unmuffle.cache.location import default_folder
from unmuffle.cache.memory import MemoryTier
from unmuffle.cache.reading import DamagedEntryError, EntryBlocks
from unmuffle.cache.statistics import CacheStatistics
from unmuffle.errors import InvalidParameterError

MEMORY_BYTES = 64 << 20
DISK_BYTES = 2 << 30


class Cache:
    """Bytes and files by key; threads may share a cache, and processes a folder.

    Parameters
    ----------
    folder : path, optional
        Where it lies; ``default_folder()`` unless given. It is made when first written to.
    memory_bytes : int, default 64 MiB
        What the tier in memory may take; 0 for none.
    disk_bytes : int, default 2 GiB
        What the entries may take on the disk; the least recently used go first.
    ttl_s : float, optional
        Seconds after which an entry is not used any more. When the clock is set back, how old entries are is not known,
        and all that are there count as older.
    clock : callable, optional
        Tells the time in seconds since some fixed date.

    Raises
    ------
    InvalidParameterError
        If a number is out of its range.

    Examples
    --------
    >>> import tempfile
    >>> from unmuffle.cache import Cache, cache_key
    >>> key = cache_key(b"some audio", model_checksum=None, parameters={"strength": 0.8}, package_version="1")
    >>> with tempfile.TemporaryDirectory() as folder, Cache(folder) as cache:
    ...     before, kept, after = cache.get(key), cache.put(key, b"enhanced"), cache.get(key)
    >>> before, kept, after
    (None, True, b'enhanced')
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        memory_bytes: int = MEMORY_BYTES,
        disk_bytes: int = DISK_BYTES,
        ttl_s: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if memory_bytes < 0 or disk_bytes < 0:
            raise InvalidParameterError(f"a cache of {memory_bytes} and {disk_bytes} bytes: neither can be negative")
        if ttl_s is not None and not ttl_s > 0.0:
            raise InvalidParameterError(f"ttl_s is {ttl_s}; it must be above 0, or None for entries that never expire")
        self.folder = default_folder() if folder is None else Path(folder)
        self._settings = {"memory_bytes": memory_bytes, "disk_bytes": disk_bytes, "ttl_s": ttl_s, "clock": clock}
        self._memory = MemoryTier(memory_bytes)
        self._disk = DiskTier(self.folder, disk_bytes, ttl_s, clock)

    def get(self, key: str, *, counted: bool = True) -> bytes | None:
        """Return what was put under a key, or None.

        Parameters
        ----------
        key : str
            From ``cache_key``.
        counted : bool, default True
            Whether this is a question of its own. For what goes with another entry, pass False.
        """
        entry = self._disk.find(checked(key))
        held = None if entry is None else self._memory.get(key, entry.sha256)
        if entry is not None and held is not None:
            self._disk.used(entry, counted, "memory_hits")
            return held
        blocks = self._disk.open(key, entry, counted)
        if blocks is None:
            return None
        try:
            data = b"".join(blocks)
        except DamagedEntryError:
            return None
        self._memory.put(key, blocks.entry.sha256, data)
        return data

    def get_file(self, key: str) -> Path | None:
        """Return the file of what was put under a key, or None; it was verified just now.

        It is to be read only, and at once: any process may remove it for want of room. ``blocks`` has no such limits.
        """
        blocks = self.blocks(key)
        if blocks is None:
            return None
        try:
            for _ in blocks:
                pass
        except DamagedEntryError:
            return None
        return self._disk.path(blocks.entry)

    def blocks(self, key: str, *, counted: bool = True) -> EntryBlocks | None:
        """Return an iterator over what was put under a key, or None.

        An entry of any length takes constant memory, and is read once. That it is right is known only at its end: where
        it is not, ``DamagedEntryError`` is raised there. Close it if you do not read it to its end.
        """
        return self._disk.open(key, self._disk.find(checked(key)), counted)

    def put(self, key: str, data: bytes | bytearray | memoryview) -> bool:
        """Keep bytes under a key, in the place of what was there; return whether they are kept."""
        data = bytes(data)
        if len(data) > self._disk.limit_bytes:
            return False
        sha256 = self._disk.store(checked(key), (data,))
        if sha256 is None:
            self._memory.drop(key)
            return False
        self._memory.put(key, sha256, data)
        return True

    def put_file(self, key: str, path: str | os.PathLike[str]) -> bool:
        """Keep a copy of a file under a key, in the place of what was there; return whether it is kept."""
        self._memory.drop(checked(key))
        try:
            if Path(path).stat().st_size > self._disk.limit_bytes:
                return False
        except OSError as error:
            self._disk.failed(f"{path} cannot be kept in it", error)
            return False
        return self._disk.store(key, _read_blocks(Path(path))) is not None

    @property
    def statistics(self) -> CacheStatistics:
        """How full it is, and how it does; of an unreadable cache only what is in this process's memory."""
        found = self._disk.numbers()
        memory_entries, memory_bytes = self._memory.size
        return CacheStatistics(
            folder=str(self.folder),
            entries=found.get("entries", 0),
            size_bytes=found.get("bytes", 0),
            limit_bytes=self._disk.limit_bytes,
            memory_entries=memory_entries,
            memory_bytes=memory_bytes,
            **{name: found.get(name, 0) for name in ledger.COUNTERS},
        )

    def clear(self) -> None:
        """Remove all entries, and count anew; nothing but the cache's own files is touched.

        Raises
        ------
        OSError
            If the folder cannot be written to.
        """
        self._memory.clear()
        self._disk.clear()

    def close(self) -> None:
        """Close the index; the cache stays usable, and opens it again."""
        self._disk.close()

    def __enter__(self) -> Cache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """Take it to another process: the folder and the limits go there."""
        return _remade, (self.folder, self._settings)


def _read_blocks(path: Path) -> Iterator[memoryview]:
    block = memoryview(bytearray(BLOCK_BYTES))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(block):
            yield block[:count]


def _remade(folder: Path, settings: dict[str, Any]) -> Cache:
    return Cache(folder, **settings)
