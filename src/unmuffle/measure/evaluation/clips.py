"""A clip of an evaluation: noisy audio, its clean reference where there is one, and what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from unmuffle.errors import AudioFileError
from unmuffle.measure.results import Condition
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.files import open_reader

LARGEST_DIFFERENCE_S = 0.05
"""Codecs leave this much more or less at the end; what differs by more is another recording."""


@dataclass(frozen=True)
class ClipAudio:
    """What was read or made of a clip.

    Attributes
    ----------
    noisy : float32 [channels, samples]
        What an enhancer is given.
    clean : float32 [channels, samples] or None
        What it should give; of the same shape.
    sample_rate : int
        In Hz.
    conditions : mapping of str to str or float
        What is known of it.
    files : mapping of str to str
        Where it lies, by role: ``"noisy"``, ``"clean"``.
    """

    noisy: FloatArray
    clean: FloatArray | None
    sample_rate: int
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


class Clip(Protocol):
    """A clip that can be had, in files or made at need."""

    @property
    def name(self) -> str:
        """Unique within a run."""

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """What is known of it before it is read."""

    @property
    def has_reference(self) -> bool:
        """Whether there is a clean version."""

    def fingerprint(self) -> str:
        """Return text that changes when the audio does."""

    def read(self) -> ClipAudio:
        """Return the audio, or raise an ``UnmuffleError`` that tells why there is none."""


@dataclass(frozen=True)
class ClipPair:
    """A clip in files.

    Attributes
    ----------
    name : str
        Unique within a run.
    noisy : Path
        The noisy recording, of any format.
    clean : Path or None
        Its reference, of the same rate, channels and length.
    conditions : mapping of str to str or float
        What is known of it.
    """

    name: str
    noisy: Path
    clean: Path | None = None
    conditions: Mapping[str, Condition] = field(default_factory=dict)

    @property
    def has_reference(self) -> bool:
        """Whether there is a clean version."""
        return self.clean is not None

    def fingerprint(self) -> str:
        """Return paths, sizes and times of change."""
        marks = []
        for path in filter(None, (self.noisy, self.clean)):
            found = path.stat() if path.exists() else None
            marks.append(f"{path.resolve()} {(found.st_size, found.st_mtime_ns) if found else 'missing'}")
        return "; ".join(marks)

    def read(self) -> ClipAudio:
        """Return the audio.

        Raises
        ------
        AudioFileError
            If a file cannot be read, or the two differ in rate, channels or length.
        """
        noisy, rate = read_audio(self.noisy)
        files = {"noisy": str(self.noisy)}
        if self.clean is None:
            return ClipAudio(noisy, None, rate, self.conditions, files)
        clean, its_rate = read_audio(self.clean)
        if its_rate != rate:
            raise AudioFileError(f"{self.clean} has {its_rate} Hz and {self.noisy} {rate} Hz: resample one of them")
        if len(clean) != len(noisy):
            raise AudioFileError(f"{self.clean} has {len(clean)} channel(s) and {self.noisy} {len(noisy)}")
        difference = clean.shape[1] - noisy.shape[1]
        if abs(difference) > LARGEST_DIFFERENCE_S * rate:
            raise AudioFileError(
                f"{self.clean} is {clean.shape[1] / rate:.3f} s long and {self.noisy} {noisy.shape[1] / rate:.3f} s: "
                "a reference must be as long as its noisy version"
            )
        common = min(clean.shape[1], noisy.shape[1])
        files["clean"] = str(self.clean)
        return ClipAudio(noisy[:, :common], clean[:, :common], rate, self.conditions, files)


def read_audio(path: Path) -> tuple[FloatArray, int]:
    """Return all of a file, float32 [channels, samples], and its rate in Hz, or raise ``AudioFileError``."""
    with open_reader(path) as reader:
        return np.concatenate(list(reader.blocks()), axis=1), reader.info.sample_rate
