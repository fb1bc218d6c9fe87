"""How far a run is, how fast it goes, and what failed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from unmuffle.corpus.journal import Journal
from unmuffle.corpus.journal_file import is_held, lock_of
from unmuffle.corpus.running import journal_of

PACE_OVER_S = 300.0


@dataclass(frozen=True)
class CorpusStatus:
    """What a journal tells.

    Attributes
    ----------
    at_work : bool
        Whether a run is going on.
    planning : int
        Clips that it has listed, if it is still listing what the corpus holds; else 0.
    done, failed, left, gone : int
        Clips in each state; those that are gone were in the corpus once.
    seconds : float
        Audio that is done.
    clips_per_s, speed : float
        Pace of the last minutes of work: clips, and seconds of audio, a second.
    eta_s : float or None
        Time that what is left takes at this pace; None without one.
    failures : mapping of str to int
        Clips by kind of fault.
    examples : mapping of str to str
        The message of one clip of each kind of fault.
    """

    at_work: bool
    planning: int
    done: int
    failed: int
    left: int
    gone: int
    seconds: float
    clips_per_s: float
    speed: float
    eta_s: float | None
    failures: dict[str, int]
    examples: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return dict(vars(self))


def status(destination: str | os.PathLike[str]) -> CorpusStatus:
    """Return how far the run on a destination is, also while it is at work.

    Raises
    ------
    AudioFileError
        If no run wrote there.
    """
    path = journal_of(destination)
    with Journal(path, writes=False) as journal:
        counts = journal.counts()
        clips, seconds, over_s = journal.pace(PACE_OVER_S)
        faults = list(journal.faults())
        pace = clips / over_s if over_s else 0.0
        left = counts.get("todo", 0)
        return CorpusStatus(
            at_work=is_held(lock_of(path)),
            planning=journal.planning(),
            done=counts.get("done", 0),
            failed=counts.get("failed", 0),
            left=left,
            gone=counts.get("gone", 0),
            seconds=journal.seconds(),
            clips_per_s=pace,
            speed=seconds / over_s if over_s else 0.0,
            eta_s=left / pace if pace else None,
            failures={cause: count for cause, count, _ in faults},
            examples={cause: message for cause, _, message in faults},
        )
