"""A run over a corpus: planned in a journal, done by worker processes, and resumed wherever it was stopped."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

from unmuffle._version import __version__
from unmuffle.corpus.clip import Clip
from unmuffle.corpus.clip_work import QUICK_MEASURES, ClipOutcome, ClipSettings, Otherwise
from unmuffle.corpus.engines import Engine, processes, ray_cluster
from unmuffle.corpus.journal import Journal
from unmuffle.corpus.listing import write_lists
from unmuffle.corpus.sources import clips_of
from unmuffle.enhancer import Enhancer
from unmuffle.errors import AudioFileError, InvalidParameterError, UnmuffleError
from unmuffle.measure.assurance.gate import QualityGate
from unmuffle.measure.assurance.rules import check_measure
from unmuffle.models.device import Device, check_device, check_gpu

FOLDER, JOURNAL, SCRATCH = ".unmuffle", "journal.sqlite", "work"

EngineName: TypeAlias = Literal["processes", "ray"]
Told: TypeAlias = Callable[[Clip, ClipOutcome, "Mapping[str, int]"], None]
"""Called after each clip with what became of it and how many clips are in each state."""


@dataclass(frozen=True)
class RunOptions:
    """How a run goes about its work, which changes no result.

    Attributes
    ----------
    workers : int
        Processes, of one thread each; as many as cores unless given.
    engine : {"processes", "ray"}
        Where the work is done: on this machine, or on a Ray cluster, for which the destination has to be a folder that
        all machines share.
    address : str, optional
        Of the cluster; ``"auto"`` finds the one that this machine is part of.
    cache : bool
        Take results from the user's cache and keep them there.
    retry_failed : bool
        Have clips that failed done again.
    redo : bool
        Start anew where the settings are no longer those that the run was begun with.
    device : {"auto", "cpu", "gpu"}
        Where models run; a GPU of these machines if ONNX Runtime has a provider for one, unless told otherwise. Results
        are the same but for rounding.
    """

    workers: int | None = None
    engine: EngineName = "processes"
    address: str | None = None
    cache: bool = False
    retry_failed: bool = False
    redo: bool = False
    device: Device = "auto"


@dataclass(frozen=True)
class CorpusReport:
    """What became of a corpus.

    Attributes
    ----------
    destination : Path
    done, failed, left : int
        Clips: with a result or a reason for none, refused, and not come to.
    seconds : float
        Audio that is done.
    failures : mapping of str to int
        Clips by kind of fault.
    """

    destination: Path
    done: int
    failed: int
    left: int
    seconds: float
    failures: dict[str, int]


def journal_of(destination: str | os.PathLike[str]) -> Path:
    """Return where the journal of a destination lies."""
    return Path(destination) / FOLDER / JOURNAL


def run(
    source: str | os.PathLike[str] | Iterable[Clip],
    destination: str | os.PathLike[str],
    *,
    enhancer: Enhancer | None = None,
    gate: QualityGate | None = None,
    otherwise: Otherwise = "original",
    measures: Iterable[str] | None = None,
    suffix: str | None = None,
    options: RunOptions | None = None,
    told: Told | None = None,
) -> CorpusReport:
    """Enhance a corpus into a folder that mirrors it; run again, it goes on where it was stopped.

    Parameters
    ----------
    source : path, pattern or iterable of Clip
        A folder, a pattern, or a manifest (JSON lines, CSV, Parquet).
    destination : path
        A folder. Beside the results it holds ``manifest.jsonl``, ``quarantine.jsonl`` (what failed, and why) and
        ``rejected.jsonl``.
    enhancer : Enhancer, optional
        Settings for all clips.
    gate : QualityGate, optional
        Judges every enhanced clip; without one all are kept.
    otherwise : {"original", "reject", "enhanced"}, default "original"
        What becomes of a clip that the gate does not pass.
    measures : iterable of str, optional
        Keys of what is measured of each clip; ``QUICK_MEASURES`` and those of the gate unless given. A long clip's
        are of the 60 s in its middle.
    suffix : str, optional
        Extension of the results; each its own unless given.
    options : RunOptions, optional
    told : callable, optional
        Told of each clip that is done.

    Returns
    -------
    CorpusReport

    Raises
    ------
    AudioFileError
        If the source cannot be read, or the destination cannot be written: what is done until then is noted.
    InvalidParameterError
        If a parameter is out of range, another run is at work there, or the settings are others than the run was
        begun with.
    """
    options = options or RunOptions()
    engine = _engine(options)
    folder = Path(destination)
    settings = settings_for(folder, enhancer, gate, otherwise, measures, options)
    with Journal(journal_of(folder)) as journal:
        if settings_changed(journal.settings, wanted := as_data(settings, suffix), redo=options.redo):
            journal.clear()
        journal.settings = wanted
        shutil.rmtree(settings.scratch, ignore_errors=True)
        journal.plan(clips_of(source, folder, suffix=suffix))
        if options.retry_failed:
            journal.redo("failed")
        try:
            _work(journal, settings, engine, told)
        except BaseException:
            # What is wrong with the lists now is what was wrong before.
            with contextlib.suppress(UnmuffleError, sqlite3.Error):
                write_lists(journal, folder, _kind(source))
            raise
        finally:
            shutil.rmtree(settings.scratch, ignore_errors=True)
        write_lists(journal, folder, _kind(source))
        counts = journal.counts()
        return CorpusReport(
            folder,
            counts.get("done", 0),
            counts.get("failed", 0),
            counts.get("todo", 0),
            journal.seconds(),
            journal.failures(),
        )


def _work(journal: Journal, settings: ClipSettings, engine: Engine, told: Told | None) -> None:
    counts: Counter[str] = Counter({str(state): count for state, count in journal.counts().items()})
    with closing(engine(journal.todo(), counts["todo"], settings)) as outcomes:
        for clip, outcome in outcomes:
            _note(journal, clip, outcome)
            counts.update({"todo": -1, "failed" if outcome.record is None else "done": 1})
            if told is not None:
                told(clip, outcome, counts)


def _note(journal: Journal, clip: Clip, outcome: ClipOutcome) -> None:
    if outcome.cause == "destination":
        raise AudioFileError(f"{outcome.message}; the run stops here, and goes on when it is run again")
    if outcome.record is None:
        journal.fail(clip.key, outcome.cause, outcome.message)
    else:
        journal.finish(clip.key, outcome.record, outcome.record["duration_s"])


def _engine(options: RunOptions) -> Engine:
    if check_device(options.device) == "gpu":
        check_gpu()
    if options.engine == "ray":
        if options.workers is not None:
            raise InvalidParameterError("workers are processes of this machine: a Ray cluster has as many as its cores")
        return partial(ray_cluster, address=options.address)
    if options.engine != "processes":
        raise InvalidParameterError(f"engine is {options.engine!r}; it must be 'processes' or 'ray'")
    if options.address is not None:
        raise InvalidParameterError(f"address is {options.address!r}, which is for the engine 'ray'")
    workers = options.workers
    if workers is None:
        workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if workers < 1:
        raise InvalidParameterError(f"workers is {workers}; it must be at least 1")
    return partial(processes, workers=workers)


def settings_for(
    folder: Path,
    enhancer: Enhancer | None,
    gate: QualityGate | None,
    otherwise: Otherwise,
    measures: Iterable[str] | None,
    options: RunOptions,
) -> ClipSettings:
    """Return what is the same for all clips of a run."""
    asked = {*(QUICK_MEASURES if measures is None else map(check_measure, measures)), *(gate.measures if gate else ())}
    enhancer = enhancer or Enhancer()
    return ClipSettings(
        folder,
        folder / FOLDER / SCRATCH,
        enhancer,
        tuple(sorted(asked)),
        gate,
        otherwise,
        options.cache,
        options.device,
        enhancer.recipe().strength,
    )


def settings_changed(before: dict[str, Any], wanted: dict[str, Any], *, redo: bool) -> bool:
    """Return whether a run was begun with other settings, and refuse to mix results unless all is to be done again."""
    if not before or before == wanted:
        return False
    if not redo:
        changed = ", ".join(sorted(key for key in {*before, *wanted} if before.get(key) != wanted.get(key)))
        raise InvalidParameterError(
            f"the run was begun with another {changed}: --redo does all of it again, or give another destination"
        )
    return True


def as_data(settings: ClipSettings, suffix: str | None) -> dict[str, Any]:
    """Return what makes results what they are, by content and by name, as JSON can hold it."""
    recipe = settings.enhancer.recipe()
    named = {name: getattr(settings.enhancer, name) for name in ("method", "model", "preset", "strength")}
    gate = None if settings.gate is None else [asdict(rule) for rule in settings.gate.rules]
    data = {
        **recipe.parameters,
        **{name: value if isinstance(value, float) or value is None else str(value) for name, value in named.items()},
        "model_name": recipe.model_name,
        "model_sha256": recipe.model_checksum,
        "version": __version__,
        "format": suffix,
        "gate": gate,
        "otherwise": settings.otherwise if gate else None,
        "measures": list(settings.measures),
    }
    return dict(json.loads(json.dumps(data)))


def _kind(source: object) -> str:
    return Path(source).suffix.lower() if isinstance(source, (str, os.PathLike)) else ""
