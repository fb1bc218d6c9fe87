"""Packing corpora: every recording decoded once into int16 files that are memory-mapped in training.

A packed folder holds for each kind (speech, noise, room) and rate (16,000 and 48,000 Hz) one ``KIND-RATE.i16`` of
samples end to end, and ``corpus.json`` with a row for each recording. At 16 kHz is everything, at 48 kHz what was
recorded at 32 kHz or more: the network's two bandwidth classes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from unmuffle.errors import AudioFileError, UnmuffleError
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.files import open_reader
from unmuffle.signal.resample import resample
from unmuffle.train.data.catalogue import TRAIN, Recording, find_recordings, split_of
from unmuffle.train.data.rooms import simulate_room

WIDE_RATE, FULL_RATE = 16_000, 48_000
RATES = (WIDE_RATE, FULL_RATE)
FULL_BAND_FROM_HZ = 32_000
SHORTEST_S = 0.2
TABLE = "corpus.json"
FORMAT = 1
PEAK = 0.9
LONGEST_ROOM_S = 1.4
ROOM_SEED = 1
log = logging.getLogger(__name__)


def read_mono(recording: Recording) -> tuple[FloatArray, int]:
    """Return the mean of a recording's channels [samples] at its file's rate, and its true rate in Hz."""
    with open_reader(str(recording.path)) as reader:
        audio = np.concatenate(list(reader.blocks()), axis=1)
        rate = reader.info.sample_rate
    return audio.mean(axis=0), rate


def pack_recording(recording: Recording) -> dict[int, FloatArray]:
    """Return a recording at the rates it is packed at, int16 [samples] by rate.

    Raises
    ------
    AudioFileError
        If it cannot be read, is shorter than 0.2 s, silent or not finite.
    """
    audio, file_rate = read_mono(recording)
    if audio.size < SHORTEST_S * file_rate or not np.isfinite(audio).all() or not audio.any():
        raise AudioFileError(f"{recording.path} is too short, silent or not finite")
    rates = RATES if (recording.rate or file_rate) >= FULL_BAND_FROM_HZ else (WIDE_RATE,)
    peak = float(np.abs(audio).max())
    return {rate: _as_int16(resample(audio, file_rate, rate)[0] * (PEAK / peak)) for rate in rates}


def pack(
    folders: dict[str, Sequence[Path]],
    target: Path,
    room_folders: Sequence[Path] = (),
    simulated_rooms: int = 600,
    validation_share: float = 0.05,
    workers: int = 1,
    report: Callable[[str, int, int], None] = lambda *_: None,
) -> dict[str, Any]:
    """Pack folders of recordings by kind into ``target`` and return the table.

    Files that cannot be used are left out with a warning.

    Parameters
    ----------
    folders : dict
        Folders by kind, ``speech`` and ``noise``.
    target : Path
        Folder to write; made if missing.
    room_folders : sequence of Path
        Folders of measured room responses.
    simulated_rooms : int, default 600
        Room responses to simulate besides.
    validation_share : float, default 0.05
        Share of the talkers and noise recordings that is held out.
    workers : int, default 1
        Processes that decode.
    report : callable
        Called with the kind, the recordings done and all of them.

    Raises
    ------
    AudioFileError
        If a kind has no usable recording.
    """
    target.mkdir(parents=True, exist_ok=True)
    table: dict[str, Any] = {"format": FORMAT, "kinds": {}}
    for kind, places in folders.items():
        recordings = [found for place in places for found in find_recordings(place)]
        packed = _packed_in_order(recordings, workers)
        rows = _write(kind, packed, target, partial(_told, report, kind, len(recordings)))
        if not rows:
            raise AudioFileError(f"none of the {len(recordings)} recordings of {kind} can be used: see the warnings")
        for row in rows:
            row["split"] = split_of(row["group"], validation_share)
        table["kinds"][kind] = rows
    table["kinds"]["room"] = _pack_rooms(target, room_folders, simulated_rooms, report)
    table["hash"] = hashlib.blake2b(json.dumps(table["kinds"], sort_keys=True).encode(), digest_size=8).hexdigest()
    unfinished = target / f"{TABLE}.part"
    unfinished.write_text(json.dumps(table, indent=1), encoding="utf-8")
    unfinished.replace(target / TABLE)
    return table


def _told(report: Callable[[str, int, int], None], kind: str, of: int, done: int) -> None:
    report(kind, done, of)


def _pack_or_reason(recording: Recording) -> dict[int, FloatArray] | str:
    try:
        return pack_recording(recording)
    except UnmuffleError as error:
        return str(error)


def _packed_in_order(recordings: list[Recording], workers: int) -> Iterator[tuple[Recording, dict[int, FloatArray]]]:
    if workers == 1:
        yield from _usable(recordings, map(_pack_or_reason, recordings))
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from _usable(recordings, pool.map(_pack_or_reason, recordings, chunksize=4))


def _usable(
    recordings: list[Recording], results: Iterator[dict[int, FloatArray] | str]
) -> Iterator[tuple[Recording, dict[int, FloatArray]]]:
    for recording, result in zip(recordings, results, strict=True):
        if isinstance(result, str):
            log.warning("left out: %s", result)
        else:
            yield recording, result


def _write(
    kind: str,
    packed: Iterator[tuple[Recording, dict[int, FloatArray]]],
    target: Path,
    report: Callable[[int], None],
) -> list[dict[str, Any]]:
    """Append the samples of every recording to the files of its rates; return the rows of the table."""
    rows: list[dict[str, Any]] = []
    ends = dict.fromkeys(RATES, 0)
    with contextlib.ExitStack() as stack:
        files = {rate: stack.enter_context((target / file_name(kind, rate)).open("wb")) for rate in RATES}
        for recording, by_rate in packed:
            places: dict[str, tuple[int, int]] = {}
            for rate, samples in by_rate.items():
                files[rate].write(samples.astype("<i2").tobytes())
                places[str(rate)] = (ends[rate], samples.size)
                ends[rate] += samples.size
            rows.append(_row(recording, places))
            report(len(rows))
    return rows


def _row(recording: Recording, places: dict[str, tuple[int, int]]) -> dict[str, Any]:
    return {
        "file": recording.path.name,
        "group": recording.group,
        "source": recording.source,
        "weight": round(recording.weight, 3),
        "places": places,
    }


def _pack_rooms(
    target: Path, folders: Sequence[Path], simulated: int, report: Callable[[str, int, int], None]
) -> list[dict[str, Any]]:
    measured = [recording for folder in folders for recording in find_recordings(folder)]
    random = np.random.default_rng(ROOM_SEED)

    def rooms() -> Iterator[tuple[Recording, dict[int, FloatArray]]]:
        for number in range(simulated):
            yield (
                Recording(Path(f"simulated-{number}"), f"simulated-{number}", "simulated", FULL_RATE),
                _room_at_rates(simulate_room(random, FULL_RATE), FULL_RATE),
            )
        for recording in measured:
            with open_reader(str(recording.path)) as reader:
                response = np.concatenate(list(reader.blocks()), axis=1)[0]
                yield recording, _room_at_rates(response, reader.info.sample_rate)

    rows = _write("room", rooms(), target, partial(_told, report, "room", simulated + len(measured)))
    return [row | {"split": TRAIN} for row in rows]


def _room_at_rates(response: FloatArray, rate: int) -> dict[int, FloatArray]:
    """Begin a millisecond before the direct sound, whose peak becomes 1, and end where tails are too long to matter."""
    direct = int(np.argmax(np.abs(response)))
    kept = response[max(0, direct - rate // 1000) :][: int(LONGEST_ROOM_S * rate)]
    kept = kept / np.abs(kept).max()
    return {to: _as_int16(PEAK * resample(kept, rate, to)[0]) for to in RATES}


def file_name(kind: str, rate: int) -> str:
    """Name of the file that holds a kind at a rate."""
    return f"{kind}-{rate}.i16"


def _as_int16(samples: FloatArray) -> FloatArray:
    return np.clip(np.rint(samples * 32_768), -32_768, 32_767).astype(np.int16)
