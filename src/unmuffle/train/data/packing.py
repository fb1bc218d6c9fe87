"""Packing corpora: every recording decoded once into int16 files that are memory-mapped in training.

A packed folder holds for each kind (speech, noise, music, room) and rate (16,000 and 48,000 Hz) one ``KIND-RATE.i16``
of samples end to end, and ``corpus.json`` with a row for each recording. At 16 kHz is everything, at 48 kHz what was
recorded at 32 kHz or more: the network's two bandwidth classes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from unmuffle.errors import AudioFileError, MissingExtraError, UnmuffleError
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.files import open_reader
from unmuffle.signal.resample import resample
from unmuffle.train.data.catalogue import TRAIN, Recording, find_recordings, split_of
from unmuffle.train.data.decoding import FULL_RATE, PEAK, RATES, Packed, as_int16, pack_recording
from unmuffle.train.data.fitness import Limits
from unmuffle.train.data.rooms import simulate_room

TABLE = "corpus.json"
FORMAT = 1
LONGEST_ROOM_S = 1.4
ROOM_SEED = 1
TOLD_ONLY = ("licence", "measured")
"""Keys of a row that change nothing in training."""
log = logging.getLogger(__name__)


def pack(
    folders: Mapping[str, Sequence[Path]],
    target: Path,
    room_folders: Sequence[Path] = (),
    simulated_rooms: int = 600,
    validation_share: float = 0.05,
    workers: int = 1,
    report: Callable[[str, int, int], None] = lambda *_: None,
    *,
    limits: Limits | None = None,
    air: bool = True,
) -> dict[str, Any]:
    """Pack folders of recordings by kind into ``target`` and return the table.

    Files that cannot be used are left out with a warning.

    Parameters
    ----------
    folders : mapping
        Folders by kind: ``speech``, ``noise`` and, if wanted apart from noise, ``music``.
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
    limits : Limits, optional
        What speech must keep to; its long pauses are cut down then, too. By default it is taken as it comes.
    air : bool, default True
        Whether air absorbs in simulated rooms; see ``simulate_room``.

    Raises
    ------
    AudioFileError
        If a kind has no usable recording.
    MissingExtraError
        If the limits name a rating by DNSMOS and the extra ``dnsmos`` is not installed.
    """
    target.mkdir(parents=True, exist_ok=True)
    table: dict[str, Any] = {"format": FORMAT, "kinds": {}}
    for kind, places in folders.items():
        recordings = [found for place in places for found in find_recordings(place)]
        packed = _packed_in_order(recordings, workers, limits if kind == "speech" else None)
        rows = _write(kind, packed, target, partial(_told, report, kind, len(recordings)))
        if not rows:
            raise AudioFileError(f"none of the {len(recordings)} recordings of {kind} can be used: see the warnings")
        for row in rows:
            row["split"] = split_of(row["group"], validation_share)
        table["kinds"][kind] = rows
    table["kinds"]["room"] = _pack_rooms(target, room_folders, simulated_rooms, report, air)
    table["hash"] = _hash_of(table["kinds"], air)
    unfinished = target / f"{TABLE}.part"
    unfinished.write_text(json.dumps(table, indent=1), encoding="utf-8")
    unfinished.replace(target / TABLE)
    return table


def _told(report: Callable[[str, int, int], None], kind: str, of: int, done: int) -> None:
    report(kind, done, of)


def _hash_of(kinds: dict[str, list[dict[str, Any]]], air: bool) -> str:
    """Return a short hash of all that makes a difference to what is trained on."""
    told = {
        kind: [{key: row[key] for key in row if key not in TOLD_ONLY} for row in rows] for kind, rows in kinds.items()
    }
    text = json.dumps(told, sort_keys=True) + (" air" if air else "")
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _pack_or_reason(recording: Recording, limits: Limits | None) -> list[Packed] | str:
    try:
        return pack_recording(recording, limits)
    except MissingExtraError:
        raise
    except UnmuffleError as error:
        return str(error)


def _packed_in_order(
    recordings: list[Recording], workers: int, limits: Limits | None
) -> Iterator[tuple[Recording, Packed]]:
    work = partial(_pack_or_reason, limits=limits)
    if workers == 1:
        yield from _usable(recordings, map(work, recordings))
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from _usable(recordings, pool.map(work, recordings, chunksize=4))


def _usable(recordings: list[Recording], results: Iterator[list[Packed] | str]) -> Iterator[tuple[Recording, Packed]]:
    for recording, result in zip(recordings, results, strict=True):
        if isinstance(result, str):
            log.warning("left out: %s", result)
        else:
            yield from ((recording, part) for part in result)


def _write(
    kind: str,
    packed: Iterator[tuple[Recording, Packed]],
    target: Path,
    report: Callable[[int], None],
) -> list[dict[str, Any]]:
    """Append the samples of every recording to the files of its rates; return the rows of the table."""
    rows: list[dict[str, Any]] = []
    ends = dict.fromkeys(RATES, 0)
    with contextlib.ExitStack() as stack:
        files = {rate: stack.enter_context((target / file_name(kind, rate)).open("wb")) for rate in RATES}
        for recording, part in packed:
            places: dict[str, tuple[int, int]] = {}
            for rate, samples in part.samples.items():
                files[rate].write(samples.astype("<i2").tobytes())
                places[str(rate)] = (ends[rate], samples.size)
                ends[rate] += samples.size
            rows.append(_row(recording, part, places))
            report(len(rows))
    return rows


def _row(recording: Recording, part: Packed, places: dict[str, tuple[int, int]]) -> dict[str, Any]:
    return {
        "file": recording.path.name,
        "group": recording.group,
        "source": recording.source,
        "licence": recording.licence,
        "weight": round(part.weight, 3),
        "measured": part.measured,
        "places": places,
    }


def _pack_rooms(
    target: Path, folders: Sequence[Path], simulated: int, report: Callable[[str, int, int], None], air: bool
) -> list[dict[str, Any]]:
    measured = [recording for folder in folders for recording in find_recordings(folder)]
    random = np.random.default_rng(ROOM_SEED)

    def rooms() -> Iterator[tuple[Recording, Packed]]:
        for number in range(simulated):
            name = f"simulated-{number}"
            response = _room_at_rates(simulate_room(random, FULL_RATE, air=air), FULL_RATE)
            yield Recording(Path(name), name, "simulated", FULL_RATE), response
        for recording in measured:
            try:
                with open_reader(str(recording.path)) as reader:
                    response = np.concatenate(list(reader.blocks()), axis=1)[0]
                    rate = reader.info.sample_rate
                if not np.isfinite(response).all() or not response.any():
                    raise AudioFileError(f"{recording.path}: the room response is silent or not finite")
                yield recording, _room_at_rates(response, rate)
            except UnmuffleError as error:
                log.warning("left out: %s", error)

    rows = _write("room", rooms(), target, partial(_told, report, "room", simulated + len(measured)))
    return [row | {"split": TRAIN} for row in rows]


def _room_at_rates(response: FloatArray, rate: int) -> Packed:
    """Begin a millisecond before the direct sound, whose peak becomes 1, and end where tails are too long to matter."""
    direct = int(np.argmax(np.abs(response)))
    kept = response[max(0, direct - rate // 1000) :][: int(LONGEST_ROOM_S * rate)]
    kept = kept / np.abs(kept).max()
    return Packed({to: as_int16(PEAK * resample(kept, rate, to)[0]) for to in RATES}, 1.0, {})


def file_name(kind: str, rate: int) -> str:
    """Name of the file that holds a kind at a rate."""
    return f"{kind}-{rate}.i16"
