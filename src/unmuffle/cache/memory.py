"""The tier in memory: the answers last used, up to so many bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict


class MemoryTier:
    """Bytes by key, each with its checksum; the least recently used go first. Threads may share it.

    Parameters
    ----------
    limit_bytes : int
        What all together may take; what is larger alone is not taken in.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._held: OrderedDict[str, tuple[str, bytes]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: str, sha256: str | None = None) -> bytes | None:
        """Return what is held under a key if it has this checksum (any, if that is None)."""
        with self._lock:
            found = self._held.get(key)
            if found is None or (sha256 is not None and found[0] != sha256):
                return None
            self._held.move_to_end(key)
            return found[1]

    def put(self, key: str, sha256: str, data: bytes) -> None:
        """Take in, in the place of what was held under the key."""
        with self._lock:
            self._drop(key)
            if len(data) > self._limit:
                return
            self._held[key] = (sha256, data)
            self._bytes += len(data)
            while self._bytes > self._limit:
                self._drop(next(iter(self._held)))

    def drop(self, key: str) -> None:
        """Forget what is held under a key, if anything is."""
        with self._lock:
            self._drop(key)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._held.clear()
            self._bytes = 0

    @property
    def size(self) -> tuple[int, int]:
        """How many are held, and their bytes."""
        with self._lock:
            return len(self._held), self._bytes

    def _drop(self, key: str) -> None:
        found = self._held.pop(key, None)
        if found is not None:
            self._bytes -= len(found[1])
