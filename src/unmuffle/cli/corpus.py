"""``unmuffle corpus``: whole collections, in runs that may be stopped and go on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unmuffle.cli.console import EXIT_FAILED, messages, plain_errors
from unmuffle.cli.corpus_progress import CorpusProgress, totals
from unmuffle.cli.counting import CountingBar
from unmuffle.cli.strength import parse_strength
from unmuffle.errors import InvalidParameterError

if TYPE_CHECKING:
    from unmuffle.corpus import Outlook
    from unmuffle.measure.assurance.gate import QualityGate

app = typer.Typer(
    help="Enhance whole collections; a stopped run goes on.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
QUICK = "quick"
"""In place of the keys of what is measured unless something else is asked for."""
OTHERWISE = ("original", "reject", "enhanced")

Destination = Annotated[str, typer.Argument(metavar="DEST", help="The folder that a run wrote to.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command("run")
@plain_errors
def run_corpus(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="A folder, a pattern, shards (.tar), or a manifest: .jsonl, .csv, .parquet."
        ),
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
        typer.Option(
            metavar="KEY", help="Measure this and what the gate needs; may be repeated; or 'none'. [default: quick]"
        ),
    ] = None,
    suffix: Annotated[str | None, typer.Option("--format", help="Format of the results, as an extension.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes, of one thread each. [default: as many as cores]")
    ] = None,
    engine: Annotated[str, typer.Option(help="Where the work is done: processes, or ray.")] = "processes",
    address: Annotated[str | None, typer.Option(help="Of a Ray cluster; 'auto' is the one this machine is in.")] = None,
    device: Annotated[str, typer.Option(help="Where models run: auto, cpu, gpu.")] = "auto",
    cache: Annotated[bool, typer.Option(help="Take results from the cache, and keep them there.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Do clips again that failed.")] = False,
    redo: Annotated[bool, typer.Option("--redo", help="Do everything again if the settings have changed.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done, and why.")] = False,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Enhance a collection; run again, it goes on where it was stopped."""
    from unmuffle.corpus import RunOptions, outlook, run
    from unmuffle.enhancer import Enhancer

    if otherwise not in OTHERWISE:
        raise InvalidParameterError(f"--otherwise is {otherwise!r}; it must be one of {', '.join(OTHERWISE)}")
    settings: dict[str, Any] = {
        "enhancer": Enhancer(method=method, model=model, preset=preset, strength=parse_strength(strength)),
        "gate": _gate(gate),
        "otherwise": otherwise,
        "measures": _measures(measure),
        "suffix": suffix,
        "options": RunOptions(workers, engine, address, cache, retry_failed, redo, device),  # type: ignore[arg-type]  # checked there
    }
    if dry_run:
        with outlook(source, output, **settings) as found:
            _tell_outlook(found, output, as_json=as_json, quiet=quiet)
        return
    with CorpusProgress(quiet=quiet or as_json, as_json=as_json) as progress:
        report = run(source, output, **settings, told=progress.update)
    if not (quiet or as_json):
        messages.print(totals(report, progress.elapsed_s), markup=False)
    if report.failed:
        raise typer.Exit(EXIT_FAILED)


@app.command("status")
@plain_errors
def tell_status(destination: Destination, as_json: AsJson = False) -> None:
    """Tell how far a run is, also while it is at work."""
    from unmuffle.cli.corpus_words import status_lines
    from unmuffle.corpus import status

    found = status(destination)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2))
        return
    for line in status_lines(found):
        typer.echo(line)


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
    with CountingBar("checking", quiet=as_json) as progress:
        for found in verify(destination, mend=mend, told=progress.update):
            damaged += 1
            typer.echo(json.dumps(vars(found)) if as_json else f"{found.output}: {found.fault}")
    if damaged:
        messages.print(f"{damaged} results are not as they were left", style="red", markup=False)
        raise typer.Exit(EXIT_FAILED)
    if not as_json:
        messages.print("all results are as they were left", markup=False)


@app.command("pack")
@plain_errors
def pack_results(
    destination: Destination,
    output: Annotated[str, typer.Option("--output", "-o", metavar="FOLDER", help="Where the shards go.")],
    clips_per_shard: Annotated[
        int, typer.Option(min=1, metavar="N", help="For a corpus that did not come as shards.")
    ] = 1000,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Pack the results into WebDataset shards; a stopped packing goes on."""
    from unmuffle.cli.corpus_words import packed_lines
    from unmuffle.corpus import pack

    with CountingBar("packing", quiet=quiet or as_json) as progress:
        report = pack(destination, output, clips_per_shard=clips_per_shard, told=progress.update)
    if as_json:
        typer.echo(json.dumps({**vars(report), "folder": str(report.folder)}))
    elif not quiet:
        for line in packed_lines(report):
            messages.print(line, markup=False)


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


def _measures(names: list[str] | None) -> list[str]:
    from unmuffle.corpus import QUICK_MEASURES

    if names == ["none"]:
        return []
    return [key for name in names or [QUICK] for key in (QUICK_MEASURES if name == QUICK else [name])]


def _gate(name: str | None) -> QualityGate | None:
    if name is None:
        return None
    from unmuffle.corpus.do_no_harm import do_no_harm
    from unmuffle.measure.assurance.gate import QualityGate

    return do_no_harm() if name.strip().lower() == "default" else QualityGate.load(name)


def _tell_outlook(found: Outlook, output: str, *, as_json: bool, quiet: bool) -> None:
    from pathlib import Path

    from unmuffle.cli.corpus_words import outlook_line, shown

    for clip, why in found:
        told = {"id": clip.key, "source": clip.source, "output": clip.output, "why": why}
        typer.echo(json.dumps(told) if as_json else shown(f"{why}: {clip.source} -> {Path(output) / clip.output}"))
    if as_json:
        typer.echo(json.dumps({"todo": found.todo, "rest": found.rest}))
    elif not quiet:
        messages.print(outlook_line(found), markup=False)
