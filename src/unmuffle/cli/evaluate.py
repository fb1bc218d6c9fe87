"""``unmuffle evaluate``: enhancers side by side on the same clips."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import typer
from rich.console import Console

from unmuffle.cli.console import EXIT_FAILED, messages, plain_errors
from unmuffle.cli.counting import CountingBar
from unmuffle.cli.mixing_options import (
    DEFAULT_SNRS,
    CountOption,
    JobsOption,
    NoiseOption,
    RateOption,
    RoomsOption,
    SecondsOption,
    SeedOption,
    SnrOption,
    SpeechOption,
    jobs_for,
    parse_snrs,
)
from unmuffle.errors import InvalidParameterError
from unmuffle.measure.catalogue import measure_of
from unmuffle.measure.evaluation.clips import Clip
from unmuffle.measure.evaluation.evaluate import evaluate
from unmuffle.measure.evaluation.mix_plan import MixPlan
from unmuffle.measure.evaluation.pairs import find_pairs
from unmuffle.measure.evaluation.selection import chosen_measures
from unmuffle.measure.report.html import write_html
from unmuffle.measure.report.jsonl import write_jsonl
from unmuffle.measure.report.standings import headline_keys, standings
from unmuffle.measure.report.table import write_csv, write_parquet
from unmuffle.measure.report.terminal import print_failures, print_table
from unmuffle.measure.results import Results
from unmuffle.measure.single.blind_scores import BLIND_MEASURES

WRITERS: Mapping[str, Callable[[Results, str], None]] = MappingProxyType(
    {".html": write_html, ".csv": write_csv, ".jsonl": write_jsonl, ".parquet": write_parquet}
)

CLIPS_A_PROCESS = 4
"""Measured in about the time in which a process starts."""


@plain_errors
def command(
    data: Annotated[
        str | None,
        typer.Option("--data", "-d", metavar="FOLDER|MANIFEST", help="A folder with noisy/ and clean/, or a manifest."),
    ] = None,
    enhancers: Annotated[
        list[str] | None,
        typer.Option(
            "--enhancer",
            "-e",
            metavar="NAME",
            help="auto or another method, model:FILE, noisereduce, noisereduce-stationary, rnnoise, or "
            "command:'tool {in} {out}'; "
            "may be given again. [default: auto]",
        ),
    ] = None,
    measures: Annotated[
        list[str] | None,
        typer.Option("--measure", "-m", metavar="KEY", help="Measure this alone; may be given again."),
    ] = None,
    blind: Annotated[bool, typer.Option("--blind", help="Also measure without the reference, by DNSMOS too.")] = False,
    speech: SpeechOption = None,
    noise: NoiseOption = None,
    rooms: RoomsOption = None,
    snr: SnrOption = DEFAULT_SNRS,
    count: CountOption = 100,
    seconds: SecondsOption = 5.0,
    rate: RateOption = 16_000,
    seed: SeedOption = 0,
    jobs: JobsOption = None,
    journal: Annotated[
        str | None,
        typer.Option("--resume", metavar="FILE", help="Keep what is done there, and go on from what is in it."),
    ] = None,
    save: Annotated[str | None, typer.Option("--save", metavar="FOLDER", help="Keep the enhanced audio.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print means and gains as JSON for programs.")] = False,
    outputs: Annotated[
        list[str] | None,
        typer.Option(
            "--report",
            "-r",
            metavar="FILE",
            help="Write .html, .csv, .jsonl or .parquet; may be given again. HTML plays the audio of --save.",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Compare enhancers on the same clips: gain, damage, speed."""
    for path in outputs or ():
        writer_for(path)
    if (data is None) == (speech is None and noise is None):
        raise InvalidParameterError("give either --data, or --speech and --noise to be mixed")
    clips = find_pairs(data) if data is not None else _plan(speech, noise, rooms, (snr, count, seconds, rate, seed))
    with CountingBar("evaluating", quiet=quiet) as bar:
        results = evaluate(
            clips,
            enhancers or ["auto"],
            measures=_keys(measures, clips, blind=blind),
            jobs=jobs or jobs_for(len(clips), CLIPS_A_PROCESS),
            progress=bar.update,
            save_to=save,
            journal=journal,
            source=data or f"{speech} in {noise}",
        )
    for path in outputs or ():
        writer_for(path)(results, path)
    if as_json:
        typer.echo(json.dumps(_as_data(results), indent=2))
    if as_json or quiet:
        print_failures(results, messages)
    else:
        out = Console(highlight=False, emoji=False)
        print_table(results, out, _shown(results))
    if any(row.failed for row in results):
        raise typer.Exit(EXIT_FAILED)


def writer_for(path: str) -> Callable[[Results, str], None]:
    """Return what writes results to a file of this name, or raise ``InvalidParameterError``."""
    suffix = Path(path).suffix.lower()
    if suffix not in WRITERS:
        raise InvalidParameterError(f"{path}: results are written as {', '.join(WRITERS)}; give one of these endings")
    return WRITERS[suffix]


def _plan(
    speech: str | None, noise: str | None, rooms: str | None, settings: tuple[str, int, float, int, int]
) -> MixPlan:
    if speech is None or noise is None:
        raise InvalidParameterError("mixing needs both --speech FOLDER and --noise FOLDER")
    snr, count, seconds, rate, seed = settings
    return MixPlan(
        speech, noise, rooms, snrs_db=parse_snrs(snr), count=count, seconds=seconds, sample_rate=rate, seed=seed
    )


def _keys(wanted: list[str] | None, clips: Collection[Clip], *, blind: bool) -> list[str] | None:
    if not blind:
        return wanted or None
    chosen = wanted or [measure.key for measure in chosen_measures(None, clips)]
    return [*chosen, *(measure.key for measure in BLIND_MEASURES)]


def _shown(results: Results) -> list[str]:
    """Return the keys that the terminal shows: those that say most, and the speed."""
    speed = "real_time_factor"
    return [*headline_keys(results), *([speed] if speed in results.keys else [])]


def _as_data(results: Results) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {name: {} for name in results.enhancers}
    for key in results.keys:
        for standing in standings(results, measure_of(key)):
            if standing.summary is not None:
                gain = {} if standing.gain is None else {"gain": standing.gain}
                about = {"mean": standing.summary.mean, "clips": standing.summary.count, "failed": standing.failed}
                found[standing.enhancer][key] = about | gain
    failed = [
        {"clip": row.clip, "enhancer": row.enhancer, "reasons": dict(row.failures)} for row in results if row.failed
    ]
    return {"about": dict(results.about), "enhancers": found, "failed": failed}
