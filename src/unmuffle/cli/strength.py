"""Strengths as they are given, and files of the strength over time beside the results of ``unmuffle enhance``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from unmuffle.cli.console import messages
from unmuffle.corpus import Options, Outcome, Task
from unmuffle.corpus.plan import STREAM
from unmuffle.enhancer import Enhancer
from unmuffle.errors import InvalidParameterError, OutputExistsError
from unmuffle.process.dry_wet import AUTO, Strength


def parse_strength(text: str) -> Strength:
    """Read what was given as a strength: a share, or ``auto``.

    Raises
    ------
    InvalidParameterError
        If it is neither.
    """
    if text.strip().lower() == AUTO:
        return "auto"
    try:
        return float(text)
    except ValueError:
        raise InvalidParameterError(f"--strength is {text!r}; it must be a number from 0 to 1, or auto") from None


def check_strength_files(tasks: Sequence[Task], enhancer: Enhancer, options: Options) -> None:
    """Refuse, before anything long is done, what cannot be saved.

    Raises
    ------
    InvalidParameterError
        If the strength is one number, or there is no file for it to go beside.
    OutputExistsError
        If a file is there already and is neither to be replaced nor its recording skipped.
    """
    follows = enhancer.strength == AUTO or enhancer.keep or enhancer.preset or enhancer.chain or options.diagnose
    if not follows:
        raise InvalidParameterError(
            f"the strength is {enhancer.strength:g} all the time: --save-strength is for --strength auto, "
            "--keep music, and presets"
        )
    if any(task.destination == STREAM for task in tasks):
        raise InvalidParameterError("--save-strength needs a file to go beside: name an output file with -o")
    if not (options.overwrite or options.skip_existing):
        for path in map(_strength_file, tasks):
            if path.exists():
                raise OutputExistsError(f"{path} already exists: use --overwrite to replace it")


def save_strengths(outcomes: Sequence[Outcome], *, overwrite: bool) -> None:
    """Write a table beside each result whose strength followed the audio; say where it did not."""
    for outcome in outcomes:
        if outcome.report is None:
            continue
        path = _strength_file(outcome.task)
        if outcome.report.strength_over_time is None:
            messages.print(f"{outcome.task.destination}: no denoiser of varying strength, so no {path}", markup=False)
        else:
            outcome.report.strength_over_time.write_csv(path, overwrite=overwrite)


def _strength_file(task: Task) -> Path:
    destination = Path(task.destination)
    return destination.with_name(f"{destination.stem}.strength.csv")
