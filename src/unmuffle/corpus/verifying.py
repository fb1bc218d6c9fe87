"""Whether what a run left is still what it left."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from unmuffle.cache.keys import sha256_of_file
from unmuffle.corpus.journal import Journal
from unmuffle.corpus.running import journal_of

Checked: TypeAlias = Callable[[int, int], None]

_AT_A_TIME = 8
"""More than cores: from far storage most of the time is waiting."""
_PAGE = 64


@dataclass(frozen=True)
class Damage:
    """A result that is not as it was left.

    Attributes
    ----------
    key, output : str
        The clip, and the path of its result within the destination.
    fault : str
        What is wrong with it.
    """

    key: str
    output: str
    fault: str


def verify(destination: str | os.PathLike[str], *, mend: bool = False, told: Checked | None = None) -> Iterator[Damage]:
    """Yield results that are missing or whose checksum is another than the journal's.

    Several files are read at a time.

    Parameters
    ----------
    destination : path
        Where the run wrote to.
    mend : bool, default False
        Note them as not done, so that the next run makes them again.
    told : callable, optional
        Told how many were looked at, and how many there are, now and then.

    Raises
    ------
    AudioFileError
        If no run wrote there.
    """
    folder = Path(destination)
    with Journal(journal_of(folder), writes=mend) as journal, ThreadPoolExecutor(_AT_A_TIME) as readers:
        damaged = []
        done = journal.done()
        total, checked = journal.counts().get("done", 0), 0
        while page := [(clip, record.get("output_sha256")) for clip, record in islice(done, _PAGE)]:
            faults = readers.map(lambda item: _fault(folder / item[0].output, item[1]), page)
            for (clip, _), fault in zip(page, faults, strict=True):
                if fault is not None:
                    damaged.append(clip.key)
                    yield Damage(clip.key, clip.output, fault)
            checked += len(page)
            if told is not None:
                told(checked, total)
        if mend:
            for key in damaged:
                journal.redo_clip(key)


def _fault(output: Path, wanted: str | None) -> str | None:
    if wanted is None:
        return None
    try:
        return None if sha256_of_file(output) == wanted else "its checksum is another"
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"
