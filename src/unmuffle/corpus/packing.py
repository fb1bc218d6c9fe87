"""The results of a run as shards in the manner of WebDataset: tar archives that are read from one end to the other.

Shards are POSIX tar (IEEE 1003.1, pax). The same results give the same bytes: members have no time and no owner.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from unmuffle.corpus.clip import Clip, marked_name, safe_name
from unmuffle.corpus.journal import Journal
from unmuffle.corpus.journal_file import alone
from unmuffle.corpus.listing import settings_told
from unmuffle.corpus.running import FOLDER, journal_of
from unmuffle.corpus.shard_members import ClipsShard, Result, Shard, SourceShard
from unmuffle.corpus.shards_written import ShardsWritten
from unmuffle.errors import InvalidParameterError
from unmuffle.signal.files.targets import told_as

CLIPS_PER_SHARD = 1000

Packed: TypeAlias = Callable[[int, int], None]
"""Called as soon as a shard is in place with the clips that were come to, and how many there are."""


@dataclass(frozen=True)
class PackReport:
    """What became of the results of a run.

    Attributes
    ----------
    folder : Path
    shards, written, removed : int
        Shards that there are now; those of them that were not there as they are; and those of an earlier packing that
        nothing is left of.
    clips, left_out : int
        Clips in them, and clips without a result: rejected, or failed.
    """

    folder: Path
    shards: int
    written: int
    removed: int
    clips: int
    left_out: int


def pack(
    destination: str | os.PathLike[str],
    shards: str | os.PathLike[str],
    *,
    clips_per_shard: int = CLIPS_PER_SHARD,
    told: Packed | None = None,
) -> PackReport:
    """Pack the results of a run into shards; run again, it goes on where it was stopped.

    A corpus that came as shards becomes shards of the same names: samples in the same order, audio replaced by the
    result, all else byte for byte as it was. Samples with a clip that was rejected or failed are left out. Of another
    corpus each sample is the audio, its row of the manifest (``.json``), and its ``text`` if it has one (``.txt``).

    Parameters
    ----------
    destination : path
        Where the run wrote to.
    shards : path
        A folder. ``shards.jsonl`` in it tells of each shard how many clips are in it, and its size and checksum.
    clips_per_shard : int, default 1000
        For a corpus that did not come as shards.
    told : callable, optional
        Told of each shard.

    Raises
    ------
    AudioFileError
        If no run wrote there, a result or a source shard is not as it was, or the folder cannot be written to.
    InvalidParameterError
        If the run is not at its end, another packing is at work, or ``clips_per_shard`` is below 1.
    """
    if clips_per_shard < 1:
        raise InvalidParameterError(f"clips_per_shard is {clips_per_shard}; it must be at least 1")
    folder, results = Path(shards), Path(destination)
    with ExitStack() as stack:
        journal = stack.enter_context(Journal(journal_of(results), writes=False))
        counts = journal.counts()
        if counts.get("todo") or journal.planning():
            raise InvalidParameterError(f"the run on {results} is not at its end: run it again until nothing is left")
        with told_as(str(folder)):
            (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        stack.enter_context(alone(folder / FOLDER / "packing.lock", f"another packing is at work on {folder}"))
        written, come_to = ShardsWritten(folder), 0
        for shard in _shards(journal, results, clips_per_shard):
            _refuse_source(shard, folder)
            written.put(shard)
            come_to += shard.count
            if told is not None:
                told(come_to, counts.get("done", 0))
        removed = written.close()
        left_out = counts.get("done", 0) + counts.get("failed", 0) - written.clips
        return PackReport(folder, written.shards, written.anew, removed, written.clips, left_out)


def _shards(journal: Journal, results: Path, clips_per_shard: int) -> Iterator[Shard]:
    """Yield what each shard is to hold."""
    settings = settings_told(journal)
    names: set[str] = set()
    number = 0
    for archive, group in groupby(_results(journal, results), lambda result: _archive_of(result.clip)):
        if archive is not None:
            found = list(group)
            yield SourceShard(_free(_source_name(found[0].clip), archive, names), found, Path(archive))
            continue
        while found := list(islice(group, clips_per_shard)):
            yield ClipsShard(_free(f"shard-{number:06d}.tar", f"{number}", names), found, settings)
            number += 1


def _refuse_source(shard: Shard, folder: Path) -> None:
    path = folder / shard.name
    if isinstance(shard, SourceShard) and path.exists() and path.samefile(shard.archive):
        raise InvalidParameterError(f"{path} is a shard that the corpus came in: pack into another folder")


def _results(journal: Journal, results: Path) -> Iterator[Result]:
    for clip, record in journal.done():
        if record["verdict"] != "rejected":
            yield Result(clip, record, results / clip.output)


def _archive_of(clip: Clip) -> str | None:
    return None if clip.member is None else clip.source


def _source_name(clip: Clip) -> str:
    """Return the name of the shard that a clip came in, with its folder where the corpus has several."""
    inner = "" if clip.member is None else f"/{clip.member.name}"
    name = Path(clip.source).name
    if inner and clip.key.endswith(inner):
        return safe_name(PurePosixPath(clip.key.removesuffix(inner)).with_name(name))
    return safe_name(PurePosixPath(name))


def _free(name: str, key: str, names: set[str]) -> str:
    if name.casefold() in names:
        name = marked_name(name, key)
    if name.casefold() in names:
        raise InvalidParameterError(
            f"clips of {key} do not follow one another: list the clips of each archive together"
        )
    names.add(name.casefold())
    return name
