"""``unmuffle impact``: what noise and enhancement do to recognition and to the talker's identity."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

import typer
from rich.console import Console

from unmuffle.cli.console import EXIT_FAILED, messages, plain_errors
from unmuffle.cli.counting import CountingBar
from unmuffle.errors import InvalidParameterError
from unmuffle.measure.impact.analyzer import SNRS_DB, STRENGTHS, ImpactAnalyzer
from unmuffle.measure.impact.embedders.registry import NO_EMBEDDER
from unmuffle.measure.impact.figure import impact_figure
from unmuffle.measure.impact.page import write_impact_html
from unmuffle.measure.impact.report import ImpactReport
from unmuffle.measure.impact.table import impact_table
from unmuffle.measure.spectra.saving import check_destination, save_figure
from unmuffle.measure.spectra.style import require_matplotlib

_PIPED_WIDTH = 240


@plain_errors
def command(
    transcripts: Annotated[
        str,
        typer.Option(
            "--transcripts", "-t", metavar="MANIFEST", help="CSV or JSON lines: a recording and its text in each line."
        ),
    ],
    noise: Annotated[
        list[str] | None,
        typer.Option(
            "--noise",
            "-n",
            metavar="FOLDER|FILE",
            help="Noise to add, a folder in it for each type; may be given again. Without it the clips are noisy.",
        ),
    ] = None,
    enhancers: Annotated[
        list[str] | None,
        typer.Option(
            "--enhancer",
            "-e",
            metavar="NAME",
            help="auto or another method, noisereduce, rnnoise, or command:'tool {in} {out}'; may be given again. "
            "[default: auto]",
        ),
    ] = None,
    recognizer: Annotated[
        str,
        typer.Option(
            help="pocketsphinx, pocketsphinx:fast, faster-whisper:MODEL, vosk:MODEL, nemo:MODEL or "
            "command:'tool {in}'. Nothing is downloaded.",
            metavar="NAME",
        ),
    ] = "pocketsphinx",
    embedder: Annotated[
        str | None,
        typer.Option(help="resemblyzer or none. [default: resemblyzer where it is installed]", metavar="NAME"),
    ] = None,
    snr: Annotated[str, typer.Option("--snr", metavar="DB,DB,...", help="Ratios.")] = ",".join(
        f"{snr_db:g}" for snr_db in SNRS_DB
    ),
    strengths: Annotated[
        str, typer.Option(metavar="S,S,...", help="How much of the effect is heard, 0 to 1.")
    ] = ",".join(f"{strength:g}" for strength in STRENGTHS),
    max_clean_wer: Annotated[
        float | None,
        typer.Option(metavar="WER", help="Leave out clips that are misunderstood more than this when clean; 1 is all."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many clips.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other noises.")] = 0,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Clips at the same time.")] = 1,
    journal: Annotated[
        str | None,
        typer.Option("--resume", metavar="FILE", help="Keep what is done there, and go on from what is in it."),
    ] = None,
    json_path: Annotated[str | None, typer.Option("--json", metavar="FILE", help="Write all figures.")] = None,
    plot_path: Annotated[str | None, typer.Option("--plot", metavar="FILE", help="Draw .png, .svg or .pdf.")] = None,
    page_path: Annotated[str | None, typer.Option("--report", "-r", metavar="FILE", help="Write an HTML page.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Say whether to enhance for a speech recogniser, by word errors."""
    if plot_path is not None:
        check_destination(plot_path, overwrite=True)
        require_matplotlib()
    analyzer = ImpactAnalyzer(
        recognizer,
        enhancers or ["auto"],
        noise,
        snrs_db=_numbers("--snr", snr),
        embedder=_default_embedder() if embedder is None else embedder,
        strengths=_numbers("--strengths", strengths),
        max_clean_wer=max_clean_wer,
        jobs=jobs,
        seed=seed,
    )
    with CountingBar("listening", quiet=quiet) as bar:
        report = analyzer.run(transcripts, journal=journal, limit=limit, progress=bar.update)
    _write(report, json_path, plot_path, page_path)
    if not quiet:
        out = Console(highlight=False, emoji=False)
        # Programs that read it want a line a condition, however long.
        out.print(impact_table(report), width=None if out.is_terminal else _PIPED_WIDTH)
    if report.left_out and not quiet:
        messages.print(f"{len(report.left_out)} clip(s) left out: not understood when clean", style="yellow")
    for failure in report.failures:
        messages.print(f"unmuffle: {failure}", style="red", markup=False)
    if report.failures:
        raise typer.Exit(EXIT_FAILED)


def _numbers(option: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise InvalidParameterError(f"{option} is {text!r}; give numbers with commas between") from None


def _default_embedder() -> str:
    return "resemblyzer" if find_spec("resemblyzer") is not None else NO_EMBEDDER


def _write(report: ImpactReport, json_path: str | None, plot_path: str | None, page_path: str | None) -> None:
    if json_path is not None:
        report.write_json(json_path)
    if not report.conditions:
        return
    if plot_path is not None:
        save_figure(impact_figure(report), plot_path, overwrite=True)
    if page_path is not None:
        write_impact_html(report, page_path)
