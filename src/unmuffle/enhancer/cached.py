"""Enhancing with a cache: what was made once of the same, in the same way, is copied.

An entry is what is about to take the destination's name, so no other process can have changed it. Its key is found once
more before it is kept: whatever was changed on the way, the source, a preset, a noise file or a model, leads to another
key, and to no entry.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from unmuffle._version import __version__
from unmuffle.cache import Cache, DamagedEntryError, cache_key, default_folder, part_key
from unmuffle.cache.reading import EntryBlocks
from unmuffle.enhancer.cached_report import read_report, written_report
from unmuffle.enhancer.files import FileJob, FileReport, refuse_mixing_up
from unmuffle.enhancer.recipe import NotCacheableError, Recipe
from unmuffle.errors import InvalidParameterError, UnmuffleError
from unmuffle.signal.arrays import AnyArray
from unmuffle.signal.files.targets import AtomicFile, told_as

RESULT, REMOVED, REPORT = "result", "removed", "report"

TellRecipe = Callable[[], Recipe]


def chosen_cache(cache: Cache | bool) -> Cache | None:
    """Return the cache that was given; True is the one in the user's folder, False is none.

    Raises
    ------
    InvalidParameterError
        If it is something else.
    """
    if isinstance(cache, Cache):
        return cache
    if not isinstance(cache, bool):
        raise InvalidParameterError(
            f"cache is {cache!r}; it must be True for the one in your own folder, an unmuffle.cache.Cache, or None"
        )
    return _shared(default_folder()) if cache else None


@lru_cache(maxsize=4)
def _shared(folder: Path) -> Cache:
    return Cache(folder)


def enhance_file(
    job: FileJob,
    cache: Cache,
    recipe: TellRecipe,
    enhance: Callable[[FileJob], FileReport],
    may_keep: Callable[[], bool],
) -> FileReport:
    """Copy what a file was made into before, or enhance it and keep that.

    Parameters
    ----------
    job : FileJob
        What is to be done.
    cache : Cache
    recipe : callable
        Tells what is done to it, as of now.
    enhance : callable
        Does it.
    may_keep : callable
        Whether what was done is what had been asked for.
    """
    why_not = _why_not(job)
    if why_not is None and _can_be_written(job):
        try:
            key = _key_of(job, recipe())
        except NotCacheableError as error:
            why_not = str(error)
        except (UnmuffleError, OSError):
            # Enhancing will meet the same, and tell it in its own words.
            return enhance(job)
        else:
            found = _found(job, cache, key)
            return found if found is not None else _kept(job, cache, key, recipe, enhance, may_keep)
    return replace(enhance(job), cache_note=why_not)


def enhance_array(
    audio: AnyArray, sample_rate: int, cache: Cache, recipe: TellRecipe, enhance: Callable[[], tuple[AnyArray, bool]]
) -> AnyArray:
    """Return what an array was made into before, or enhance it and keep that.

    Parameters
    ----------
    audio : ndarray
    sample_rate : int
        In Hz.
    cache : Cache
    recipe : callable
        Tells what is done to it, as of now.
    enhance : callable
        Does it, and tells whether that is what had been asked for.
    """

    def key_now() -> str | None:
        try:
            made = recipe()
            return cache_key(
                audio,
                sample_rate=sample_rate,
                model_checksum=made.model_checksum,
                parameters=made.parameters,
                package_version=__version__,
            )
        except (UnmuffleError, OSError):
            return None

    key = key_now()
    data = None if key is None else cache.get(key)
    if data is not None:
        return np.frombuffer(data, audio.dtype).reshape(audio.shape).copy()
    enhanced, is_as_asked = enhance()
    if key is not None and is_as_asked and key_now() == key:
        cache.put(key, enhanced.tobytes())
    return enhanced


@dataclass
class _Keeper:
    """Takes the finished files of one job into the cache."""

    job: FileJob
    cache: Cache
    key: str
    recipe: TellRecipe
    may_keep: Callable[[], bool]
    kept: list[str] = field(default_factory=list)

    def keep(self, part: str, path: Path) -> None:
        """Take in a finished file, if all it was made of is still what it was."""
        if self.may_keep() and self._is_unchanged() and self.cache.put_file(part_key(self.key, part), path):
            self.kept.append(part)

    def keep_report(self, report: FileReport) -> None:
        """Take in what was told of it, without which the files do not count."""
        if RESULT in self.kept and (self.job.save_removed is None or REMOVED in self.kept):
            self.cache.put(part_key(self.key, REPORT), written_report(report))

    def _is_unchanged(self) -> bool:
        try:
            return _key_of(self.job, self.recipe()) == self.key
        except (UnmuffleError, OSError):
            return False


def _kept(
    job: FileJob,
    cache: Cache,
    key: str,
    recipe: TellRecipe,
    enhance: Callable[[FileJob], FileReport],
    may_keep: Callable[[], bool],
) -> FileReport:
    keeper = _Keeper(job, cache, key, recipe, may_keep)
    report = enhance(replace(job, on_whole=keeper.keep))
    keeper.keep_report(report)
    return report


def _found(job: FileJob, cache: Cache, key: str) -> FileReport | None:
    """Copy from the cache to where the job wants it; None where not all of it is there."""
    started = time.perf_counter()
    wanted = {RESULT: job.destination} | ({} if job.save_removed is None else {REMOVED: job.save_removed})
    with ExitStack() as stack:
        parts: list[tuple[EntryBlocks, Any]] = []
        for part, place in wanted.items():
            blocks = cache.blocks(part_key(key, part), counted=part == RESULT)
            if blocks is None:
                return None
            parts.append((stack.enter_context(blocks), place))
        report = read_report(cache.get(part_key(key, REPORT), counted=False), job)
        if report is None:
            return None
        try:
            # The last is the first to take its name: what was removed is in place before the result is.
            _copy(parts, overwrite=job.overwrite)
        except DamagedEntryError:
            return None
    if job.progress is not None:
        job.progress(report.seconds, report.seconds)
    return replace(report, elapsed_s=time.perf_counter() - started)


def _copy(parts: list[tuple[EntryBlocks, Any]], *, overwrite: bool) -> None:
    targets: list[AtomicFile] = []
    try:
        for blocks, place in parts:
            targets.append(AtomicFile(Path(place), "tmp", overwrite=overwrite))
            with told_as(targets[-1].name):
                file = targets[-1].open()
                for block in blocks:
                    file.write(block)
        for target in reversed(targets):
            target.commit()
    except BaseException:
        for target in targets:
            target.abort()
        raise


def _why_not(job: FileJob) -> str | None:
    """Say why a job has nothing to do with a cache, if that is so."""
    if not isinstance(job.source, (str, os.PathLike, bytes, bytearray, memoryview)) or job.source == "-":
        return "the source is a stream, which can be read only once"
    for place in (job.destination, job.save_removed):
        if place is not None and (not isinstance(place, (str, os.PathLike)) or place == "-"):
            return "the result goes into a stream"
    return None


def _can_be_written(job: FileJob) -> bool:
    """Whether the destinations may be written; where not, enhancing will say so."""
    refuse_mixing_up(job)
    for place in (job.destination, job.save_removed):
        if not isinstance(place, (str, os.PathLike)):
            continue
        path = Path(place)
        if path.exists() and not (job.overwrite and path.is_file() and not _is_source(path, job)):
            return False
    return True


def _is_source(path: Path, job: FileJob) -> bool:
    return isinstance(job.source, (str, os.PathLike)) and Path(job.source).exists() and path.samefile(job.source)


def _key_of(job: FileJob, recipe: Recipe) -> str:
    source, removed = job.source, job.save_removed
    parameters = {
        "settings": recipe.parameters,
        # Decoders of last resort look at it.
        "from": Path(source).suffix.lower() if isinstance(source, (str, os.PathLike)) else "",
        "to": _suffix(job.destination),
        "removed": None if removed is None else _suffix(removed),
        "raw": None if job.raw is None else asdict(job.raw),
        # As it was read for this job: the file of a preset may have changed since.
        "target": None if job.target is None else asdict(job.target),
    }
    return cache_key(
        source,  # type: ignore[arg-type]  # `_why_not` has seen to it
        model_checksum=recipe.model_checksum,
        parameters=parameters,
        package_version=__version__,
    )


def _suffix(place: Any) -> str:
    return Path(place).suffix.lower()
