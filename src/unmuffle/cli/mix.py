"""``unmuffle mix``: noisy clips with their references, from speech and noise."""

from __future__ import annotations

from typing import Annotated

import typer

from unmuffle.cli.console import messages, plain_errors
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
from unmuffle.measure.evaluation.mix_folder import write_mixes
from unmuffle.measure.evaluation.mix_plan import MixPlan

CLIPS_A_PROCESS = 16
"""Mixed in the time in which a process starts."""


@plain_errors
def command(
    output: Annotated[str, typer.Option("--output", "-o", metavar="FOLDER", help="Gets clean/, noisy/ and pairs.csv.")],
    speech: SpeechOption = None,
    noise: NoiseOption = None,
    rooms: RoomsOption = None,
    snr: SnrOption = DEFAULT_SNRS,
    count: CountOption = 100,
    per_snr: Annotated[int | None, typer.Option(min=1, help="How many for each ratio, in place of --count.")] = None,
    seconds: SecondsOption = 5.0,
    rate: RateOption = 16_000,
    seed: SeedOption = 0,
    jobs: JobsOption = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a set of another seed.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Mix noisy clips with their references from speech and noise.

    The same seed gives the same bytes; a larger --count adds to a set; a run that was interrupted goes on where it
    stopped.
    """
    if speech is None or noise is None:
        raise InvalidParameterError("give both --speech FOLDER and --noise FOLDER")
    snrs_db = parse_snrs(snr)
    plan = MixPlan(
        speech,
        noise,
        rooms,
        snrs_db=snrs_db,
        count=count if per_snr is None else per_snr * len(snrs_db),
        seconds=seconds,
        sample_rate=rate,
        seed=seed,
    )
    with CountingBar("mixing", quiet=quiet) as bar:
        report = write_mixes(
            plan, output, jobs=jobs or jobs_for(len(plan), CLIPS_A_PROCESS), overwrite=overwrite, progress=bar.update
        )
    if not quiet:
        kept = f", {report.kept} were there already" if report.kept else ""
        messages.print(f"{output}: {report.written} clips written{kept}", markup=False)
