"""How far a run is, how fast it goes, and what failed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from unmuffle.corpus.journal import Journal
from unmuffle.corpus.running import journal_of

PACE_OVER_S = 300.0


@dataclass(frozen=True)
class CorpusStatus:
    """What a journal tells.

    Attributes
    ----------
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
    """

    done: int
    failed: int
    left: int
    gone: int
    seconds: float
    clips_per_s: float
    speed: float
    eta_s: float | None
    failures: dict[str, int]

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
    with Journal(journal_of(destination), writes=False) as journal:
        counts = journal.counts()
        clips, seconds, over_s = journal.pace(PACE_OVER_S)
        pace = clips / over_s if over_s else 0.0
        left = counts.get("todo", 0)
        return CorpusStatus(
            counts.get("done", 0),
            counts.get("failed", 0),
            left,
            counts.get("gone", 0),
            journal.seconds(),
            pace,
            seconds / over_s if over_s else 0.0,
            left / pace if pace else None,
            journal.failures(),
        )
