"""Mixtures written into a folder, as ``find_pairs`` reads it; a run that was interrupted goes on where it stopped."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from unmuffle.errors import AudioFileError, OutputExistsError, UnmuffleError
from unmuffle.jobs.one_thread import one_thread_each
from unmuffle.jobs.workers import Report, run_in_workers
from unmuffle.measure.evaluation.audio_files import write_flac
from unmuffle.measure.evaluation.mix_plan import MixedClip, MixPlan
from unmuffle.measure.evaluation.pairs import PAIRS_FILE
from unmuffle.signal.files import probe
from unmuffle.signal.files.new_file import encoded, new_file
from unmuffle.signal.files.targets import told_as

UNFINISHED_FILE = ".pairs.jsonl"
"""Holds a line for each clip that is done while the others are not."""

Row = dict[str, str]
Progress = Callable[[int, int], None]
"""Called with the clips that are done and those in all."""


@dataclass(frozen=True)
class MixReport:
    """How many clips were written, and how many were there already."""

    written: int
    kept: int


def write_mixes(
    plan: MixPlan,
    folder: str | os.PathLike[str],
    *,
    jobs: int = 1,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> MixReport:
    """Write ``clean/``, ``noisy/`` (FLAC, 16 bit) and ``pairs.csv`` with all that was drawn.

    Clips that are there already and come from the same plan are kept, more of them than the plan has as well; so a run
    that was interrupted is resumed, and one with a larger count extends the set.

    Parameters
    ----------
    plan : MixPlan
        What is mixed.
    folder : path
        Made if it is not there.
    jobs : int, default 1
        How many processes. With more than one, a script has to guard its start by ``if __name__ == "__main__":``.
    overwrite : bool, default False
        Replace a set of another plan.
    progress : callable, optional
        Told the clips done and the clips in all.

    Raises
    ------
    OutputExistsError
        If the folder holds a set of another plan and is not to be overwritten.
    AudioFileError
        If a recording cannot be mixed or the folder cannot be written.
    """
    home, mark = Path(folder), plan.fingerprint()
    rows = _rows_there(home)
    others = [row for row in rows.values() if row.get("mix") != mark]
    if others and not overwrite:
        raise OutputExistsError(
            f"{home} holds {len(others)} clip(s) of another seed, of other settings or of other recordings: "
            "give another folder, or --overwrite"
        )
    rows = {name: row for name, row in rows.items() if row.get("mix") == mark and _is_there(home, name, plan)}
    missing = [index for index, clip in enumerate(plan) if clip.name not in rows]
    kept = len(plan) - len(missing)
    done = kept
    with told_as(str(home)):
        home.mkdir(parents=True, exist_ok=True)
        _begin_unfinished(home, rows)
        with (home / UNFINISHED_FILE).open("a", encoding="utf-8") as unfinished:
            for row in _mixed(plan, mark, home, missing, jobs):
                rows[row["id"]] = row
                unfinished.write(json.dumps(row) + "\n")
                unfinished.flush()
                done += 1
                if progress is not None:
                    progress(done, len(plan))
    _write_pairs(home / PAIRS_FILE, [rows[name] for name in sorted(rows)])
    (home / UNFINISHED_FILE).unlink()
    return MixReport(len(missing), kept)


def _mixed(plan: MixPlan, mark: str, home: Path, missing: list[int], jobs: int) -> Iterator[Row]:
    if jobs == 1 or len(missing) < 2:
        for index in missing:
            yield _mix_one(plan, mark, home, index, _no_report)
        return
    with one_thread_each():
        for _, _, value in run_in_workers(missing, partial(_mix_in_worker, plan, mark, home), jobs):
            if not isinstance(value, dict):
                raise AudioFileError(str(value))
            yield value


def _mix_in_worker(plan: MixPlan, mark: str, home: Path, index: int, report: Report) -> Row | str:
    try:
        return _mix_one(plan, mark, home, index, report)
    except UnmuffleError as error:
        return str(error)


def _mix_one(plan: MixPlan, mark: str, home: Path, index: int, _: Report) -> Row:
    clip, made = MixedClip(plan, index), plan.mix(index)
    for role, audio in (("clean", made.clean), ("noisy", made.noisy)):
        write_flac(home / role / f"{clip.name}.flac", audio[None], plan.sample_rate)
    row = {"id": clip.name, "sample_rate": plan.sample_rate, "seconds": plan.seconds, **made.drawn}
    row |= {"seed": plan.seed, "index": index, "mix": mark}
    return {key: str(value) for key, value in row.items()}


def _no_report(_: Any) -> None:
    """Take a report that nobody waits for."""


def _rows_there(home: Path) -> dict[str, Row]:
    """Return what is known of clips that are done, by name, also where a run was interrupted."""
    pairs = home / PAIRS_FILE
    rows = list(csv.DictReader(pairs.read_text(encoding="utf-8").splitlines())) if pairs.exists() else []
    unfinished = home / UNFINISHED_FILE
    if unfinished.exists():
        for line in unfinished.read_text(encoding="utf-8").splitlines():
            # The last line may have been cut short.
            with contextlib.suppress(ValueError):
                rows.append(json.loads(line))
    return {row.get("id", ""): row for row in rows}


def _is_there(home: Path, name: str, plan: MixPlan) -> bool:
    try:
        found = [probe(home / role / f"{name}.flac") for role in ("clean", "noisy")]
    except AudioFileError:
        return False
    wanted = (plan.sample_rate, 1, round(plan.seconds * plan.sample_rate))
    return all((info.sample_rate, info.channels, info.frames) == wanted for info in found)


def _begin_unfinished(home: Path, rows: dict[str, Row]) -> None:
    with new_file(home / UNFINISHED_FILE) as file:
        file.writelines(encoded(json.dumps(row)) + b"\n" for row in rows.values())
    # What is no longer whole must not pass for it.
    (home / PAIRS_FILE).unlink(missing_ok=True)


def _write_pairs(path: Path, rows: list[Row]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    table = csv.DictWriter(text, names, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    with new_file(path) as file:
        file.write(encoded(text.getvalue()))
