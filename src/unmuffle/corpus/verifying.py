"""Whether what a run left is still what it left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from unmuffle.cache.keys import sha256_of_file
from unmuffle.corpus.journal import Journal
from unmuffle.corpus.running import journal_of


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


def verify(destination: str | os.PathLike[str], *, mend: bool = False) -> Iterator[Damage]:
    """Yield results that are missing or whose checksum is another than the journal's.

    Parameters
    ----------
    destination : path
        Where the run wrote to.
    mend : bool, default False
        Note them as not done, so that the next run makes them again.

    Raises
    ------
    AudioFileError
        If no run wrote there.
    """
    folder = Path(destination)
    with Journal(journal_of(folder), writes=mend) as journal:
        damaged = []
        for clip, record in journal.done():
            fault = _fault(folder / clip.output, record.get("output_sha256"))
            if fault is not None:
                damaged.append(clip.key)
                yield Damage(clip.key, clip.output, fault)
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
