"""Noisy speech mixed from folders of speech, noise and room responses, by seed.

Clip number i depends on the seed, on i and on the files alone: a longer run of the same seed has the clips of a shorter
one, and clips can be mixed in any order, in any number of processes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.measure.evaluation.clips import ClipAudio
from unmuffle.measure.evaluation.mixture import Mixture, mix_drawn
from unmuffle.measure.results import Condition
from unmuffle.signal.files import is_media_name
from unmuffle.signal.grid import check_sample_rate

_VERSION = 1
_SHORTEST_S, _LONGEST_S = 0.5, 600.0


@dataclass(frozen=True)
class Sources:
    """The recordings below a folder, as paths in it, sorted."""

    folder: Path
    names: tuple[str, ...]

    @classmethod
    def below(cls, folder: str | os.PathLike[str]) -> Sources:
        """Find them, or raise ``AudioFileError`` if there is none."""
        root = Path(folder)
        if not root.is_dir():
            raise AudioFileError(f"{root} is not a folder: give one with recordings in it")
        found = (path for path in root.rglob("*") if is_media_name(path) and path.is_file())
        names = tuple(sorted(path.relative_to(root).as_posix() for path in found))
        if not names:
            raise AudioFileError(f"{root} is empty: there is no audio file in it")
        return cls(root, names)

    def marks(self) -> list[tuple[str, int]]:
        """Return names and sizes."""
        return [(name, (self.folder / name).stat().st_size) for name in self.names]

    def path(self, name: str) -> Path:
        """Return where a recording lies."""
        return self.folder / name


class MixPlan(Collection["MixedClip"]):
    """Clips to be mixed; a collection of them for ``evaluate``, or for ``write_mixes``.

    Parameters
    ----------
    speech, noise : path
        Folders of recordings of any format, also in folders below: a folder below is one talker, or one kind of noise.
    rooms : path, optional
        Folder of impulse responses. All speech is then played in one of them, and the reference is the direct sound
        and the first 50 ms after it.
    snrs_db : sequence of float, default (-5, 0, 5, 10, 15)
        Active level of the reference (ITU-T P.56) to RMS of the noise, taken in turn.
    count : int, default 100
        How many clips.
    seconds : float, default 5.0
        Length of each, 0.5 to 600.
    sample_rate : int, default 16000
        In Hz, 8,000 to 192,000.
    seed : int, default 0
        Another seed, other clips; at least 0.

    Raises
    ------
    AudioFileError
        If a folder is missing or holds no recording.
    InvalidParameterError
        If a number is outside its range.
    """

    def __init__(
        self,
        speech: str | os.PathLike[str],
        noise: str | os.PathLike[str],
        rooms: str | os.PathLike[str] | None = None,
        *,
        snrs_db: Sequence[float] = (-5.0, 0.0, 5.0, 10.0, 15.0),
        count: int = 100,
        seconds: float = 5.0,
        sample_rate: int = 16_000,
        seed: int = 0,
    ) -> None:
        self.sample_rate = check_sample_rate(sample_rate)
        if not snrs_db or not np.isfinite(snrs_db).all():
            raise InvalidParameterError(f"snrs_db must be one or more finite numbers, not {list(snrs_db)}")
        if not _SHORTEST_S <= seconds <= _LONGEST_S:
            raise InvalidParameterError(f"seconds must be {_SHORTEST_S:g} to {_LONGEST_S:g}, not {seconds!r}")
        if count < 1 or seed < 0:
            raise InvalidParameterError(f"count must be at least 1 and seed at least 0, not {count!r} and {seed!r}")
        self.snrs_db = tuple(float(snr_db) for snr_db in snrs_db)
        self.count, self.seconds, self.seed = int(count), float(seconds), int(seed)
        self.speech, self.noise = Sources.below(speech), Sources.below(noise)
        self.rooms = None if rooms is None else Sources.below(rooms)

    def __len__(self) -> int:
        return self.count

    def __contains__(self, clip: object) -> bool:
        return isinstance(clip, MixedClip) and clip.plan is self and 0 <= clip.index < self.count

    def __iter__(self) -> Iterator[MixedClip]:
        return (MixedClip(self, index) for index in range(self.count))

    def fingerprint(self) -> str:
        """Return what all clips hang on, whatever their number."""
        sources = [None if found is None else found.marks() for found in (self.speech, self.noise, self.rooms)]
        parts = [_VERSION, sources, self.snrs_db, self.seconds, self.sample_rate, self.seed]
        return f"mix-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]}"

    def snr_db(self, index: int) -> float:
        """Return the ratio of a clip."""
        return self.snrs_db[index % len(self.snrs_db)]

    def mix(self, index: int) -> Mixture:
        """Draw and mix a clip.

        Raises
        ------
        AudioFileError, InvalidAudioError
            If a recording that was drawn cannot be read or is of no use; the message names it.
        """
        return mix_drawn(self, index, np.random.default_rng((self.seed, index)))


@dataclass(frozen=True)
class MixedClip:
    """A clip of a plan; mixed when it is read."""

    plan: MixPlan
    index: int

    @property
    def name(self) -> str:
        """The number of the clip, as a file name."""
        return f"m{self.index:05d}"

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """What is known before it is mixed."""
        return {"snr_db": self.plan.snr_db(self.index)}

    @property
    def has_reference(self) -> bool:
        """Always."""
        return True

    def fingerprint(self) -> str:
        """Return what it hangs on."""
        return f"{self.plan.fingerprint()} {self.index}"

    def read(self) -> ClipAudio:
        """Mix it."""
        made = self.plan.mix(self.index)
        return ClipAudio(made.noisy[None], made.clean[None], self.plan.sample_rate, made.drawn)
