"""``unmuffle enhance``: noisy files in, clear ones out."""

from __future__ import annotations

from typing import Annotated

import typer

from unmuffle.cli.console import EXIT_FAILED, plain_errors
from unmuffle.cli.progress import BatchProgress, summarize
from unmuffle.cli.strength import check_strength_files, parse_strength, save_strengths
from unmuffle.cli.timespan import parse_noise_profile
from unmuffle.corpus import Options, plan_tasks, run_batch
from unmuffle.enhancer import Enhancer
from unmuffle.enhancer.chosen_chain import DIAGNOSED
from unmuffle.errors import InvalidParameterError
from unmuffle.signal.files import RawFormat


@plain_errors
def command(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="IN...", help="Audio or video files, folders, patterns, or - for standard input."),
    ],
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="A file, a folder, or - for standard output. [default: IN.clear.EXT]"),
    ] = None,
    method: Annotated[str, typer.Option(help="See 'unmuffle methods'.")] = "auto",
    model: Annotated[
        str | None, typer.Option(help="A network: see 'unmuffle models', or an .onnx file.", metavar="NAME|FILE")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="A chain for a purpose: see 'unmuffle presets', or a .toml file; 'auto' chooses by what is wrong.",
            metavar="NAME|FILE|auto",
        ),
    ] = None,
    chain: Annotated[
        str | None, typer.Option(help="Stages with commas between them: see 'unmuffle presets --stages'.")
    ] = None,
    strength: Annotated[
        str,
        typer.Option(help="How much of the effect is heard, 0 to 1; 'auto' follows the noise.", metavar="SHARE|auto"),
    ] = "1",
    keep: Annotated[
        str | None, typer.Option(help="'music': let music and singing pass as they are.", metavar="music")
    ] = None,
    max_attenuation_db: Annotated[
        float | None, typer.Option(help="Attenuate nothing by more than this; 12 keeps some of the surroundings.")
    ] = None,
    noise_profile: Annotated[
        str | None,
        typer.Option(help="Where there is noise alone: a span such as 0:00-0:01.5, or a file.", metavar="SPAN|FILE"),
    ] = None,
    save_removed: Annotated[
        bool, typer.Option("--save-removed", help="Also write what was removed, as OUT.removed.EXT.")
    ] = False,
    save_strength: Annotated[
        bool, typer.Option("--save-strength", help="Also write the strength over time, as OUT.strength.csv.")
    ] = False,
    residual: Annotated[bool, typer.Option("--residual", help="Write what was removed instead.")] = False,
    link_channels: Annotated[
        bool, typer.Option(help="Same gains for all channels, so that the stereo image stays.")
    ] = True,
    loudness: Annotated[
        str | None,
        typer.Option(help="Bring results to this loudness: LUFS, or podcast, broadcast, atsc, streaming."),
    ] = None,
    true_peak: Annotated[
        float | None, typer.Option(help="With --loudness: ceiling of true peaks in dBTP. [default: -1; atsc -2]")
    ] = None,
    nonfinite: Annotated[
        str, typer.Option(help="NaN and infinity in a file: 'raise' an error, or take them as 'silence'.")
    ] = "raise",
    suffix: Annotated[
        str | None, typer.Option("--format", help="Format of the results, as an extension: wav, flac, mp3, m4a ...")
    ] = None,
    raw: Annotated[
        str | None, typer.Option(help="Input and output are headerless PCM, e.g. s16le,48000,1.", metavar="FORMAT")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Files enhanced at the same time.")] = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results that exist.")] = False,
    skip_existing: Annotated[
        bool, typer.Option("--skip-existing", help="Leave results that exist: resumes a run that was interrupted.")
    ] = False,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Copy results made before of the same, and keep new ones.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Make the voice clear in files of any format, video included."""
    if overwrite and skip_existing:
        raise InvalidParameterError("--overwrite and --skip-existing contradict each other: give one")
    diagnosed = preset is not None and preset.strip().lower() == DIAGNOSED
    if diagnosed and chain is not None:
        raise InvalidParameterError(f"the preset {DIAGNOSED} and a chain were given: give one")
    enhancer = Enhancer(
        method=method,
        model=model,
        preset=None if diagnosed else preset,
        chain=chain,
        strength=parse_strength(strength),
        max_attenuation_db=max_attenuation_db,
        noise_profile=None if noise_profile is None else parse_noise_profile(noise_profile),
        residual=residual,
        link_channels=link_channels,
        nonfinite=nonfinite,  # type: ignore[arg-type]  # checked there
        loudness=loudness,
        true_peak=true_peak,
        keep=None if keep is None else keep.strip().lower(),
    )
    options = Options(overwrite, skip_existing, None if raw is None else RawFormat.parse(raw), diagnosed, cache)
    tasks = plan_tasks(inputs, output, save_removed=save_removed, suffix=suffix)
    if save_strength:
        check_strength_files(tasks, enhancer, options)
    with BatchProgress(tasks, quiet=quiet) as progress:
        done = {}
        for outcome in run_batch(tasks, enhancer, jobs=jobs, options=options, progress=progress.update):
            progress.finish(outcome)
            done[outcome.task] = outcome
    # Several jobs end in any order; people look for their files in the one that they gave.
    outcomes = [done[task] for task in tasks]
    if save_strength:
        save_strengths(outcomes, overwrite=overwrite or skip_existing)
    summarize(outcomes, progress.elapsed_s, quiet=quiet)
    if any(outcome.error for outcome in outcomes):
        raise typer.Exit(EXIT_FAILED)
