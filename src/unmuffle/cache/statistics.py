"""What a cache tells of itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class CacheStatistics:
    """How full a cache is, and how it does; counted over all processes since it was last cleared.

    Attributes
    ----------
    folder : str
    entries, size_bytes : int
        On the disk.
    limit_bytes : int
        What they may take there, by this process.
    memory_entries, memory_bytes : int
        Held by this process in memory.
    hits, misses : int
        Of all questions.
    memory_hits : int
        Of the hits, those that were answered from memory.
    stored : int
        Entries written.
    evicted, expired, damaged : int
        Entries removed for want of room, for their age, and because their bytes were no longer right.
    """

    folder: str
    entries: int = 0
    size_bytes: int = 0
    limit_bytes: int = 0
    memory_entries: int = 0
    memory_bytes: int = 0
    hits: int = 0
    memory_hits: int = 0
    misses: int = 0
    stored: int = 0
    evicted: int = 0
    expired: int = 0
    damaged: int = 0

    @property
    def hit_rate(self) -> float | None:
        """Share of the questions that had an answer, 0 to 1; None before the first."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {**asdict(self), "hit_rate": self.hit_rate}
