"""``unmuffle qa``: may this enhanced audio ship? The exit code answers pipelines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from unmuffle._version import __version__
from unmuffle.cli.console import fail, messages, plain_errors
from unmuffle.errors import InvalidParameterError, OutputExistsError, UnmuffleError
from unmuffle.measure.assurance.assess import DEFAULT_MEASURES
from unmuffle.measure.assurance.assessment import QualityAssessment, assessments_of
from unmuffle.measure.assurance.clip_files import assess_clips, plan_clips
from unmuffle.measure.assurance.gate import QualityGate
from unmuffle.measure.assurance.history import QualityHistory
from unmuffle.measure.assurance.junit import write_junit
from unmuffle.measure.assurance.rules import RuleResult, check_measure
from unmuffle.measure.assurance.trends import compare_entries, versions_in
from unmuffle.measure.assurance.verdicts import EnhancerVerdict, GateReport
from unmuffle.measure.report.jsonl import read_jsonl
from unmuffle.measure.report.terminal import print_table
from unmuffle.measure.results import Results

EXIT_CODES = {"passed": 0, "failed": 1, "unmeasured": 2}
STYLES = {"passed": "green", "failed": "bold red", "warned": "yellow", "skipped": "dim", "unmeasured": "red"}
MOST_UNMEASURED = 10


@plain_errors
def command(
    original: Annotated[
        str | None, typer.Argument(metavar="ORIGINAL", help="The recording as it came, or a folder of them.")
    ] = None,
    enhanced: Annotated[
        str | None, typer.Argument(metavar="ENHANCED", help="What an enhancer made of it; the same names in a folder.")
    ] = None,
    clean: Annotated[
        str | None, typer.Argument(metavar="CLEAN", help="The clean reference, where there is one.")
    ] = None,
    enhanced_clean: Annotated[
        str | None, typer.Option(metavar="PATH", help="What the enhancer made of CLEAN: shows its transparency.")
    ] = None,
    results: Annotated[
        str | None, typer.Option(metavar="FILE", help="Judge the JSON lines of 'unmuffle evaluate' instead.")
    ] = None,
    gate: Annotated[
        str | None, typer.Option(metavar="FILE", help="Thresholds, .toml or .json. [default: see --write-gate]")
    ] = None,
    write_gate: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the default thresholds to a file to edit, and end.")
    ] = None,
    enhancer: Annotated[str, typer.Option(help="What the enhancer is called.")] = "enhanced",
    measure: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY", help="Measure this alone, and what the gate needs; may be repeated."),
    ] = None,
    real_time_factor: Annotated[
        float | None, typer.Option(metavar="X", help="Time the enhancer took over the length of the audio.")
    ] = None,
    latency_ms: Annotated[float | None, typer.Option(metavar="MS", help="Latency of the enhancer.")] = None,
    junit: Annotated[str | None, typer.Option(metavar="FILE", help="Write JUnit XML for a pipeline.")] = None,
    history: Annotated[
        str | None, typer.Option(metavar="FILE", help="Add to this history, and tell what changed since the last.")
    ] = None,
    label: Annotated[str, typer.Option(help="Version of the enhancer in the history.")] = __version__,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Clips measured at the same time.")] = 1,
) -> None:
    """Say by thresholds whether enhanced audio may ship.

    The exit code is 0 where it passed, 1 where it failed, and 2 where it could not be measured.
    """
    try:
        if write_gate is not None:
            _write_default(write_gate)
            return
        rules = QualityGate.default() if gate is None else QualityGate.load(gate)
        if results is not None:
            found = _of_results(results, original)
        else:
            found = _of_files(
                (original, enhanced, clean, enhanced_clean),
                (*rules.measures, *map(check_measure, measure or DEFAULT_MEASURES)),
                enhancer,
                {"real_time_factor": real_time_factor, "latency_ms": latency_ms},
                jobs,
            )
        report = rules.judge_all(found)
        if as_json:
            typer.echo(json.dumps(report.to_dict(), indent=2))
        else:
            _print(found, report)
        if junit is not None:
            write_junit(report, junit)
        if history is not None:
            _remember(QualityHistory(history), found, label, rules.measures)
    except UnmuffleError as error:
        # 1 says that quality is below the gate, and nothing else.
        fail(error)
        raise typer.Exit(EXIT_CODES["unmeasured"]) from error
    raise typer.Exit(EXIT_CODES[report.status])


def _write_default(path: str) -> None:
    if Path(path).exists():
        raise OutputExistsError(f"{path} is there already and may hold your own thresholds: name another file")
    QualityGate.default().save(path)
    messages.print(f"{path}: the default thresholds, for --gate {path}", markup=False)


def _of_results(path: str, original: str | None) -> list[QualityAssessment]:
    if original is not None:
        raise InvalidParameterError(f"--results {path} is judged alone: name no audio beside it")
    return assessments_of(read_jsonl(path))


def _of_files(
    paths: tuple[str | None, str | None, str | None, str | None],
    measures: Sequence[str],
    enhancer: str,
    cost: dict[str, float | None],
    jobs: int,
) -> list[QualityAssessment]:
    original, enhanced, clean, enhanced_clean = paths
    if original is None or enhanced is None:
        raise InvalidParameterError("name the original and the enhanced file or folder, or --results FILE")
    clips = plan_clips(original, enhanced, clean, enhanced_clean)
    places = {item.clip: place for place, item in enumerate(clips)}
    done = assess_clips(clips, enhancer=enhancer, measures=tuple(dict.fromkeys(measures)), jobs=jobs, **cost)
    return sorted(_with_progress(done, len(clips)), key=lambda item: places[item.clip])


def _with_progress(found: Iterator[QualityAssessment], count: int) -> Iterator[QualityAssessment]:
    columns = (TextColumn("measuring"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    hidden = count == 1 or not messages.is_terminal
    with Progress(*columns, console=messages, transient=True, disable=hidden) as bar:
        yield from bar.track(found, total=count)


def _print(found: Sequence[QualityAssessment], report: GateReport) -> None:
    out = Console(highlight=False, emoji=False, soft_wrap=True)
    if len(found) == 1:
        for line in found[0].lines():
            out.print(line, markup=False)
    elif any(item.after.values for item in found):
        print_table(Results(row for item in found for row in item.to_rows()), Console(highlight=False, emoji=False))
    for item in report.enhancers:
        _print_verdict(out, item)


def _print_verdict(out: Console, item: EnhancerVerdict) -> None:
    out.print()
    for result in item.results:
        out.print(_told(result), style=STYLES[result.outcome], markup=False)
    if len(item.clips) > 1:
        for verdict in item.worst:
            broken = "; ".join(result.text for result in verdict.results if result.broken)
            out.print(f"worst     {verdict.assessment.clip}: {broken}", markup=False)
        passed = sum(verdict.passed for verdict in item.clips)
        out.print(f"          {passed} of {len(item.clips)} clips pass alone", markup=False)
    for verdict in item.unmeasured[:MOST_UNMEASURED]:
        messages.print(f"unmuffle: {verdict.assessment.clip}: {verdict.reason}", style="red", markup=False)
    if len(item.unmeasured) > MOST_UNMEASURED:
        messages.print(f"... and {len(item.unmeasured) - MOST_UNMEASURED} more that could not be measured")
    out.print(f"{item.enhancer}: {item.status}", style=STYLES[item.status], markup=False)


def _told(result: RuleResult) -> str:
    return f"{result.outcome:<9} {result.text}"


def _remember(history: QualityHistory, found: Sequence[QualityAssessment], label: str, keys: Sequence[str]) -> None:
    """Add to a history, and tell which of these measures are not as they were in the version before."""
    measured = [item for item in found if not item.after.failed]
    if not measured:
        return
    history.append(measured, version=label)
    entries = history.read()
    for damage in history.damaged:
        messages.print(f"warning: {damage}", style="yellow", markup=False)
    for enhancer in dict.fromkeys(item.enhancer for item in measured):
        own = [entry for entry in entries if entry.assessment.enhancer == enhancer]
        earlier = [version for version in versions_in(own) if version != label]
        if not earlier:
            continue
        before, after = ([entry for entry in own if entry.version == version] for version in (earlier[-1], label))
        for change in compare_entries(before, after, keys):
            if change.verdict != "unsure":
                style = "red" if change.verdict == "worse" else "green"
                messages.print(f"{enhancer}, {label} after {earlier[-1]}: {change.text}", style=style, markup=False)
