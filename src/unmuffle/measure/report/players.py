"""Which clips get a player, so that the page stays small enough to be opened and sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from unmuffle.measure.report.listening import Listening, prepare
from unmuffle.measure.results import Results

MOST_BYTES = 16_000_000


@dataclass
class Players:
    """The players of a page.

    Attributes
    ----------
    by_clip : dict of str to Listening
        Those there are.
    left_out : int
        How many clips have audio but got none, to keep the page small.
    problems : list of str
        Files that could not be read.
    """

    by_clip: dict[str, Listening] = field(default_factory=dict)
    left_out: int = 0
    problems: list[str] = field(default_factory=list)

    def data(self, clip: str) -> dict[str, Any]:
        """Return what the player's script is given."""
        found = self.by_clip[clip]
        return {
            "clip": clip,
            "seconds": round(found.seconds, 3),
            "versions": [
                {
                    "name": version.name,
                    "audio": version.audio,
                    "image": version.image,
                    "gain": round(version.gain_db, 2),
                    "lufs": None if version.lufs is None else round(version.lufs, 1),
                }
                for version in found.versions
            ],
        }


def make_players(results: Results, clips: Sequence[str], most_bytes: int = MOST_BYTES) -> Players:
    """Return the players of these clips, in their order, until the page would grow beyond a size."""
    players, size = Players(), 0
    for place, clip in enumerate(clips):
        listening = prepare(results, clip)
        players.problems += listening.problems
        size += listening.size
        if size > most_bytes:
            players.left_out = len(clips) - place
            break
        if listening.versions:
            players.by_clip[clip] = listening
    return players
