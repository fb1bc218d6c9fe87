"""``unmuffle score``: how close files come to a clean reference."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console

from unmuffle.cli.console import EXIT_FAILED, messages, plain_errors
from unmuffle.errors import AudioFileError, UnmuffleError
from unmuffle.measure import REFERENCE_MEASURES, Delay, Score, align, score
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.files import open_reader

TITLE_WIDTH, NARROWEST = 42, 9


@plain_errors
def command(
    reference: Annotated[str, typer.Argument(metavar="CLEAN", help="The clean recording.")],
    estimates: Annotated[list[str], typer.Argument(metavar="FILE...", help="Noisy or enhanced versions of it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Measure how close files come to a clean reference."""
    clean, rate = _read(reference)
    found: dict[str, tuple[Delay, list[Score]]] = {}
    for name in estimates:
        try:
            found[name] = _score(clean, rate, name)
        except UnmuffleError as error:
            messages.print(f"unmuffle: {error}", style="red", markup=False)
    if as_json:
        typer.echo(json.dumps({name: _as_data(*result) for name, result in found.items()}, indent=2))
    elif found:
        _print(found)
    if len(found) < len(estimates):
        raise typer.Exit(EXIT_FAILED)


def _read(name: str) -> tuple[FloatArray, int]:
    with open_reader(name) as reader:
        return np.concatenate(list(reader.blocks()), axis=1), reader.info.sample_rate


def _score(clean: FloatArray, rate: int, name: str) -> tuple[Delay, list[Score]]:
    estimate, its_rate = _read(name)
    if its_rate != rate:
        raise AudioFileError(f"{name} has {its_rate} Hz and the reference {rate} Hz: resample one of them first")
    if len(estimate) != len(clean):
        raise AudioFileError(f"{name} has {len(estimate)} channel(s) and the reference {len(clean)}")
    # Codecs leave some samples more or less at the end.
    common = min(clean.shape[1], estimate.shape[1])
    aligned = align(clean[:, :common], estimate[:, :common], rate)
    return aligned.delay, score(aligned.reference, aligned.estimate, rate)


def _as_data(delay: Delay, scores: list[Score]) -> dict[str, Any]:
    values = {item.measure.key: item.value for item in scores}
    return {"delay_samples": delay.samples, "scores": values}


def _print(found: dict[str, tuple[Delay, list[Score]]]) -> None:
    """Print a line a measure and a column a file, as wide as the names are."""
    out = Console(highlight=False, emoji=False, soft_wrap=True)
    widths = [max(len(name), NARROWEST) for name in found]

    def line(title: str, cells: Iterable[str]) -> None:
        row = "".join(f"  {cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        out.print(f"{title:{TITLE_WIDTH}}{row}", markup=False)

    line("", found)
    line("delay, samples", (f"{round(delay.samples, 1) + 0.0:.1f}" for delay, _ in found.values()))
    for place, measure in enumerate(REFERENCE_MEASURES):
        values = (scores[place].value for _, scores in found.values())
        line(measure.title, (measure.format(value) for value in values))
    reasons = dict.fromkeys(item.why_not for _, scores in found.values() for item in scores if item.why_not)
    for why_not in reasons:
        messages.print(why_not, style="yellow", markup=False)
