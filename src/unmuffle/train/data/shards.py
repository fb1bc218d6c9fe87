"""Reading packed corpora: memory-mapped samples and who is in which split."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmuffle.errors import AudioFileError
from unmuffle.train.data.decoding import FULL_RATE
from unmuffle.train.data.packing import FORMAT, TABLE, file_name

FULL_SCALE = np.float32(1 / 32_768)


@dataclass(frozen=True)
class Shard:
    """The recordings of one kind, rate and split.

    Attributes
    ----------
    samples : ndarray of int16 [samples]
        Memory-mapped, all recordings end to end.
    starts, lengths : ndarray of int64 [recordings]
        Where each lies.
    groups : ndarray of int64 [recordings]
        Number of its talker or noise recording.
    chances : ndarray of float64 [recordings]
        How likely each is drawn; sums to 1.
    """

    samples: NDArray[np.int16]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    groups: NDArray[np.int64]
    chances: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.starts)

    def draw(self, random: np.random.Generator) -> int:
        """Return the number of a recording, drawn by its chance."""
        return int(np.searchsorted(np.cumsum(self.chances), random.random() * (1 - 1e-12)))

    def cut(self, recording: int, start: int, length: int) -> NDArray[np.float32]:
        """Return float32 [length] of a recording from a sample on; a shorter one starts again at its end."""
        begin, whole = int(self.starts[recording]), int(self.lengths[recording])
        start %= whole
        piece = self.samples[begin + start : begin + min(start + length, whole)]
        if piece.size < length:
            body = self.samples[begin : begin + whole]
            piece = np.concatenate([piece, np.resize(body, length - piece.size)])
        return piece.astype(np.float32) * FULL_SCALE


def load_table(folder: Path) -> dict[str, Any]:
    """Return the table of a packed folder, or raise ``AudioFileError`` if it is none."""
    path = folder / TABLE
    if not path.is_file():
        raise AudioFileError(f"{folder} holds no {TABLE}: make it with unmuffle train prepare")
    table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if table.get("format") != FORMAT:
        raise AudioFileError(f"{path} has format {table.get('format')!r}, not {FORMAT}: pack the corpora again")
    return table


def open_shard(folder: Path, table: dict[str, Any], kind: str, rate: int, split: str) -> Shard:
    """Return the recordings of a kind ("speech", "noise", "room") at a rate that are in a split.

    Raises
    ------
    AudioFileError
        If there are none.
    """
    rows = [row for row in table["kinds"].get(kind, ()) if row["split"] == split and str(rate) in row["places"]]
    if not rows:
        way_out = "pack more recordings"
        if rate == FULL_RATE:
            way_out += " that reach above 12 kHz, or set data.full_band_share to 0"
        raise AudioFileError(f"{folder} holds no {kind} at {rate} Hz for {split}: {way_out}")
    places = np.array([row["places"][str(rate)] for row in rows], np.int64)
    numbers = {group: number for number, group in enumerate(sorted({row["group"] for row in rows}))}
    groups = np.array([numbers[row["group"]] for row in rows], np.int64)
    weights = np.array([row["weight"] for row in rows]) * _share_of_group(groups, places[:, 1], rate)
    samples = np.memmap(folder / file_name(kind, rate), np.dtype("<i2"), "r")
    return Shard(samples, places[:, 0], places[:, 1], groups, weights / weights.sum())


def _share_of_group(groups: NDArray[np.int64], lengths: NDArray[np.int64], rate: int) -> NDArray[np.float64]:
    """Chance by length, with long groups held back: a talker of an hour counts 8 times one of a minute, not 60."""
    totals = np.bincount(groups, lengths / rate)
    return np.asarray(lengths / rate * totals[groups] ** -0.5)
