"""``unmuffle corpus``: whole collections, in runs that may be stopped and go on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from unmuffle.cli.console import EXIT_FAILED, messages, plain_errors
from unmuffle.cli.corpus_progress import CorpusProgress, totals
from unmuffle.cli.strength import parse_strength
from unmuffle.errors import InvalidParameterError

if TYPE_CHECKING:
    from unmuffle.measure.assurance.gate import QualityGate

app = typer.Typer(
    help="Enhance whole collections; a stopped run goes on.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
OTHERWISE = ("original", "reject", "enhanced")

Destination = Annotated[str, typer.Argument(metavar="DEST", help="The folder that a run wrote to.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command("run")
@plain_errors
def run_corpus(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A folder, a pattern, or a manifest: .jsonl, .csv, .parquet.")
    ],
    output: Annotated[str, typer.Option("--output", "-o", metavar="DEST", help="Folder that mirrors the corpus.")],
    preset: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="A chain for a purpose: see 'unmuffle presets'.")
    ] = None,
    method: Annotated[str, typer.Option(help="See 'unmuffle methods'.")] = "auto",
    model: Annotated[str | None, typer.Option(metavar="NAME|FILE", help="See 'unmuffle models'.")] = None,
    strength: Annotated[
        str, typer.Option(metavar="SHARE|auto", help="How much of the effect is heard; 'auto' follows the noise.")
    ] = "1",
    gate: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|default", help="What each clip has to keep: see 'unmuffle qa'; default does no harm."
        ),
    ] = None,
    otherwise: Annotated[
        str, typer.Option(help="What becomes of a clip that the gate does not pass: original, reject, enhanced.")
    ] = "original",
    measure: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY", help="Measure this alone, and what the gate needs; may be repeated; or 'none'."),
    ] = None,
    suffix: Annotated[str | None, typer.Option("--format", help="Format of the results, as an extension.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes, of one thread each. [default: as many as cores]")
    ] = None,
    engine: Annotated[str, typer.Option(help="Where the work is done: processes, or ray.")] = "processes",
    address: Annotated[str | None, typer.Option(help="Of a Ray cluster; 'auto' is the one this machine is in.")] = None,
    cache: Annotated[bool, typer.Option(help="Take results from the cache, and keep them there.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Do clips again that failed.")] = False,
    redo: Annotated[bool, typer.Option("--redo", help="Do everything again if the settings have changed.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be done.")] = False,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Enhance a collection; run again, it goes on where it was stopped."""
    from unmuffle.corpus import QUICK_MEASURES, RunOptions, run
    from unmuffle.enhancer import Enhancer

    if otherwise not in OTHERWISE:
        raise InvalidParameterError(f"--otherwise is {otherwise!r}; it must be one of {', '.join(OTHERWISE)}")
    enhancer = Enhancer(method=method, model=model, preset=preset, strength=parse_strength(strength))
    if dry_run:
        _list_clips(source, output, suffix)
        return
    wanted = QUICK_MEASURES if measure is None else [] if measure == ["none"] else measure
    with CorpusProgress(quiet=quiet or as_json, as_json=as_json) as progress:
        report = run(
            source,
            output,
            enhancer=enhancer,
            gate=_gate(gate),
            otherwise=otherwise,  # type: ignore[arg-type]  # checked above
            measures=wanted,
            suffix=suffix,
            options=RunOptions(workers, engine, address, cache, retry_failed, redo),  # type: ignore[arg-type]  # checked there
            told=progress.update,
        )
    if not (quiet or as_json):
        messages.print(totals(report, progress.elapsed_s), markup=False)
    if report.failed:
        raise typer.Exit(EXIT_FAILED)


@app.command("status")
@plain_errors
def tell_status(destination: Destination, as_json: AsJson = False) -> None:
    """Tell how far a run is, also while it is at work."""
    from unmuffle.corpus import status
    from unmuffle.measure.single.wording import clock

    found = status(destination)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2))
        return
    rest = "" if found.eta_s is None or not found.left else f", {clock(found.eta_s)} to go at this pace"
    typer.echo(f"{found.done} done, {found.failed} failed, {found.left} left{rest}")
    typer.echo(
        f"{clock(found.seconds)} of audio; {found.clips_per_s:.1f} clips a second, {found.speed:.0f} x real time"
    )
    for cause, count in sorted(found.failures.items()):
        typer.echo(f"  {count} failed: {cause}")


@app.command("verify")
@plain_errors
def verify_results(
    destination: Destination,
    mend: Annotated[bool, typer.Option("--mend", help="Have the next run make damaged results again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check every result against its checksum."""
    from unmuffle.corpus import verify

    damaged = 0
    for found in verify(destination, mend=mend):
        damaged += 1
        typer.echo(json.dumps(vars(found)) if as_json else f"{found.output}: {found.fault}")
    if damaged:
        messages.print(f"{damaged} results are not as they were left", style="red", markup=False)
        raise typer.Exit(EXIT_FAILED)
    if not as_json:
        messages.print("all results are as they were left", markup=False)


@app.command("summary")
@plain_errors
def write_page(
    destination: Destination,
    output: Annotated[str, typer.Option("--output", "-o", metavar="PAGE.html", help="Where the page goes.")],
    clips: Annotated[int, typer.Option(min=0, help="How many clips may be listened to.")] = 20,
) -> None:
    """Write a page on a run: totals, gains, damage, clips to listen to."""
    from unmuffle.corpus.summary import write_summary

    write_summary(destination, output, max_clips=clips)
    messages.print(f"{output}: the summary of {destination}", markup=False)


def _gate(name: str | None) -> QualityGate | None:
    if name is None:
        return None
    from unmuffle.corpus.do_no_harm import do_no_harm
    from unmuffle.measure.assurance.gate import QualityGate

    return do_no_harm() if name.strip().lower() == "default" else QualityGate.load(name)


def _list_clips(source: str, output: str, suffix: str | None) -> None:
    from pathlib import Path

    from unmuffle.corpus import clips_of

    count = 0
    for clip in clips_of(source, Path(output), suffix=suffix):
        count += 1
        typer.echo(f"{clip.source} -> {Path(output) / clip.output}")
    messages.print(f"{count} clips", markup=False)
