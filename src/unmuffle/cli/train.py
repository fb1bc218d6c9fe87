"""``unmuffle train``: train networks on your own recordings."""

from __future__ import annotations

import logging
from collections import defaultdict
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated

import typer
from rich.logging import RichHandler
from rich.progress import Progress

from unmuffle.cli.console import messages, plain_errors
from unmuffle.cli.training_bar import TrainingBar
from unmuffle.errors import InvalidParameterError
from unmuffle.train.extra import need_training

if TYPE_CHECKING:
    from unmuffle.train.config import TrainConfig

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None, help="Train networks on your own recordings."
)

Folders = Annotated[list[Path], typer.Option(metavar="FOLDER", help="May be given several times.")]
CheckpointFile = Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="best.pt or last.pt of a run.")]
ConfigFile = Annotated[Path, typer.Argument(metavar="CONFIG", help="A TOML file, or the name of one that comes along.")]
DataFolder = Annotated[Path | None, typer.Option("--data", metavar="FOLDER", help="Packed corpora, if not in CONFIG.")]


@app.command("prepare")
@plain_errors
def prepare(
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="Folder to write; takes 0.1 to 0.4 GB an hour.")],
    speech: Folders,
    noise: Folders,
    music: Annotated[
        list[Path] | None, typer.Option(metavar="FOLDER", help="Music, if it is to be drawn apart from noise.")
    ] = None,
    rooms: Annotated[list[Path] | None, typer.Option(metavar="FOLDER", help="Measured room responses.")] = None,
    simulated_rooms: Annotated[int, typer.Option(min=0, help="How many rooms to simulate.")] = 600,
    validation_share: Annotated[
        float, typer.Option(min=0, max=0.5, help="Share of talkers and noises held out.")
    ] = 0.05,
    workers: Annotated[int, typer.Option(min=1, help="Processes that decode.")] = 1,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Leave out unfit speech, cut down long pauses.")
    ] = True,
    min_dnsmos: Annotated[
        float | None, typer.Option(min=1, max=5, help="Leave out speech that DNSMOS rates lower overall.")
    ] = None,
    air: Annotated[bool, typer.Option("--air/--no-air", help="Whether air absorbs in simulated rooms.")] = True,
) -> None:
    """Pack folders of speech, noise and rooms for training."""
    from unmuffle.train.data.decoding import FULL_RATE
    from unmuffle.train.data.fitness import Limits
    from unmuffle.train.data.packing import pack

    logging.basicConfig(level=logging.WARNING, format="unmuffle: %(message)s")
    folders = {"speech": speech, "noise": noise} | ({"music": music} if music else {})
    limits = Limits(dnsmos=min_dnsmos) if check or min_dnsmos is not None else None
    with Progress(console=messages, transient=True, disable=not messages.is_terminal) as bar:
        lines = {kind: bar.add_task(kind) for kind in (*folders, "room")}

        def report(kind: str, done: int, of: int) -> None:
            bar.update(lines[kind], completed=done, total=of)

        table = pack(
            folders, target, rooms or (), simulated_rooms, validation_share, workers, report, limits=limits, air=air
        )
    for kind, rows in table["kinds"].items():
        full_band = sum(str(FULL_RATE) in row["places"] for row in rows)
        groups = len({row["group"] for row in rows})
        typer.echo(f"{kind}: {len(rows)} recordings of {groups}, {full_band} of them at {FULL_RATE // 1000} kHz too")


@app.command("run")
@plain_errors
def run(
    config: ConfigFile,
    work: Annotated[Path, typer.Option("--work", metavar="FOLDER", help="Where checkpoints and the log go.")],
    data: DataFolder = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    start_from: Annotated[
        Path | None,
        typer.Option("--from", metavar="CHECKPOINT", help="Begin with the averaged weights of another run."),
    ] = None,
    processes: Annotated[int, typer.Option(min=1, help="Processes, best one a core; 1 on a GPU.")] = 1,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:NUMBER.")] = "cpu",
    workers: Annotated[int, typer.Option(min=0, help="Processes that mix ahead, for a GPU.")] = 0,
    compiled: Annotated[bool, typer.Option("--compile", help="Put the network through torch.compile.")] = False,
    until: Annotated[int | None, typer.Option(min=1, help="Stop after this step.")] = None,
) -> None:
    """Train a network, or go on training it."""
    need_training()
    from unmuffle.train.running import run_training

    logging.basicConfig(
        level=logging.INFO, format="%(message)s", handlers=[RichHandler(console=messages, show_path=False)]
    )
    settings = _config(config, data)
    with TrainingBar(min(settings.steps, until or settings.steps)) as bar:
        run_training(
            settings,
            work,
            processes,
            device,
            resume=resume,
            start_from=start_from,
            until=until,
            compiled=compiled,
            workers=workers,
            watch=bar.watch,
        )


@app.command("listen")
@plain_errors
def listen(
    config: ConfigFile,
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="Folder for the WAV files.")],
    data: DataFolder = None,
    clips: Annotated[int, typer.Option(min=1, help="How many.")] = 8,
    rate: Annotated[int, typer.Option(help="16000 or 48000 Hz.")] = 16_000,
) -> None:
    """Write training mixtures and their targets as WAV files."""
    import soundfile

    from unmuffle.train.data.mixing import Mixer

    settings = _config(config, data)
    mixer = Mixer(Path(settings.data.packed), rate, settings.mix, settings.data.seconds)
    target.mkdir(parents=True, exist_ok=True)
    noisy, wanted = mixer.batch((settings.seed, 0, 0), range(clips))
    for number, pair in enumerate(zip(noisy, wanted, strict=True)):
        for name, clip in zip(("noisy", "target"), pair, strict=True):
            soundfile.write(target / f"{number:03d}-{name}.wav", clip, rate)
    typer.echo(f"{clips} mixtures and their targets are in {target}")


@app.command("export")
@plain_errors
def export(
    checkpoint: CheckpointFile,
    target: Annotated[Path, typer.Argument(metavar="FILE.onnx", help="File to write.")],
    note: Annotated[list[str] | None, typer.Option(metavar="KEY=TEXT", help="Metadata, such as licence=...")] = None,
) -> None:
    """Write a trained network as one ONNX file."""
    need_training("onnx", "onnxscript")
    from unmuffle.train.export import export_network
    from unmuffle.train.loading import load_network, story_of

    notes = [entry.partition("=") for entry in note or ()]
    if wrong := [key for key, sign, _ in notes if not sign]:
        raise InvalidParameterError(f"--note is {wrong[0]!r}; it must be KEY=TEXT, such as licence=CC-BY-4.0")
    network, state = load_network(checkpoint)
    export_network(network, target, story_of(state) | {key: text for key, _, text in notes})
    typer.echo(f"{target}: {target.stat().st_size / 1e6:.2f} MB")


@app.command("evaluate")
@plain_errors
def evaluate(
    checkpoint: CheckpointFile,
    pairs: Annotated[Path, typer.Argument(metavar="PAIRS", help="Folder with clean/NAME and noisy/NAME.")],
) -> None:
    """Score a trained network on pairs of clean and noisy files."""
    need_training()
    from unmuffle.train.evaluation import evaluate_pairs
    from unmuffle.train.loading import load_network

    network, state = load_network(checkpoint)
    columns: dict[str, list[float]] = defaultdict(list)
    for _, scores in evaluate_pairs(network, pairs):
        for key, value in scores.items():
            columns[key].append(value)
    typer.echo(f"step {state['step']}, mean of {max(map(len, columns.values()))} pairs")
    for key, values in columns.items():
        typer.echo(f"{key:24s} {fmean(values):8.3f}")


def _config(path: Path, data: Path | None) -> TrainConfig:
    """Read a config from a file or from those that come with the package."""
    need_training()
    from unmuffle.train.config import read_config

    shipped = Path(__file__).parents[1] / "train" / "configs" / path.with_suffix(".toml").name
    return read_config(path if path.is_file() or not shipped.is_file() else shipped, data)
