"""``unmuffle doctor``: what is installed, and whether this machine keeps up."""

from __future__ import annotations

import json
import platform
import time
from importlib import metadata
from importlib.util import find_spec
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console

from unmuffle._version import __version__
from unmuffle.cli.console import EXIT_FAILED, plain_errors
from unmuffle.cli.extras import extras
from unmuffle.cli.models import told_of
from unmuffle.denoise import METHODS
from unmuffle.denoise.choice import FALLBACK, chosen_name
from unmuffle.enhancer import Enhancer
from unmuffle.errors import UnmuffleError
from unmuffle.models import list_models

CORE = ("numpy", "scipy", "soxr", "soundfile", "av", "onnxruntime", "lazy-loader", "typer", "rich")
PURPOSES = {
    "serve": "unmuffle serve: files, live streams and a web page over HTTP",
    "client": "unmuffle.serve.client: a server from Python",
    "live": "unmuffle live: microphone to headphones",
    "corpus": "unmuffle corpus: files behind URLs",
    "ray": "unmuffle corpus: on a cluster",
    "metrics": "unmuffle score: PESQ and STOI",
    "dnsmos": "DNSMOS, scores without a reference",
    "impact": "unmuffle impact: word error rates",
    "speakers": "unmuffle impact: likeness of the speaker",
    "report": "reports as HTML, charts, tables",
    "peers": "other enhancers to compare with",
    "train": "training of networks",
    "tensorboard": "curves of a training",
    "bench": "the benchmarks",
    "docs": "the documentation",
    "dev": "all that developers need",
}
"""What each extra is for, those that most people ask for first."""

TRIAL_S, BLOCK_S, TRIAL_RATE_HZ = 3.0, 0.01, 48_000
KEEPS_UP_BELOW = 0.5
"""Real-time factor up to which a live stream has room for what else the machine does."""


@plain_errors
def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Tell what is installed, and whether this machine keeps up."""
    findings = examine()
    if as_json:
        typer.echo(json.dumps(findings, indent=2))
    else:
        _print(findings)


def examine() -> dict[str, Any]:
    """Return everything the command tells, as data."""
    models = [told_of(model) for model in list_models()]
    names = [*METHODS, *(model["name"] for model in models if model["fault"] is None)]
    auto = chosen_name()
    return {
        "unmuffle": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: _version(name) for name in CORE},
        "extras": extras(),
        "troubles": troubles(),
        "models": models,
        "auto": auto if auto in names else FALLBACK,
        "real_time_factor": {name: round(real_time_factor(name), 5) for name in names},
    }


def real_time_factor(name: str) -> float:
    """Return the time a live stream by a method or a model takes for a second of audio: 48 kHz, mono, 10 ms blocks."""
    block_size = round(BLOCK_S * TRIAL_RATE_HZ)
    noise = np.random.default_rng(0).standard_normal((round(TRIAL_S / BLOCK_S), block_size))
    blocks = (0.05 * noise).astype(np.float32)
    enhancer = Enhancer(name) if name in METHODS else Enhancer(model=name)
    stream = enhancer.open_stream(TRIAL_RATE_HZ, block_size=block_size)
    started = time.perf_counter()
    for block in blocks:
        stream.process(block)
    return (time.perf_counter() - started) / TRIAL_S


def troubles() -> dict[str, str]:
    """Return what keeps an extra whose packages are all installed from working."""
    if find_spec("sounddevice") is None:
        return {}
    from unmuffle.live.sound_devices import load_sounddevice

    try:
        load_sounddevice()
    except UnmuffleError as error:
        return {"live": str(error)}
    return {}


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _print(findings: dict[str, Any]) -> None:
    out = Console(highlight=False, soft_wrap=True)
    out.print(f"unmuffle {findings['unmuffle']}, Python {findings['python']}, {findings['system']}", markup=False)
    for name, version in findings["packages"].items():
        out.print(f"  {name} {version}" if version else f"  {name} is missing: pip install {name}", markup=False)
    _print_extras(out, findings)
    _print_models(out, findings)
    out.print("real-time factor, live at 48 kHz mono in 10 ms blocks")
    width = max(map(len, findings["real_time_factor"]))
    for name, factor in findings["real_time_factor"].items():
        out.print(f"  {name:{width}}  {factor:.4f}", markup=False)
    auto = findings["real_time_factor"][findings["auto"]]
    verdict = (
        f"this machine keeps up: auto needs {auto:.1%} of one core"
        if auto < KEEPS_UP_BELOW
        else f"this machine does not keep up: auto needs {auto:.0%} of one core; choose a faster method"
    )
    out.print(verdict, style="green" if auto < KEEPS_UP_BELOW else "red", markup=False)
    if any(version is None for version in findings["packages"].values()) or any(
        model["fault"] for model in findings["models"]
    ):
        raise typer.Exit(EXIT_FAILED)


def _print_extras(out: Console, findings: dict[str, Any]) -> None:
    """Print the extras in the order of ``PURPOSES``, each with what it is for, or how it is installed."""
    lacking = findings["extras"]
    names = [*(name for name in PURPOSES if name in lacking), *(name for name in lacking if name not in PURPOSES)]
    width = max(map(len, names), default=0)
    out.print("extras")
    for name in names:
        state, style = "installed", None
        if lacking[name]:
            state = f'not installed: pip install "unmuffle[{name}]" brings {", ".join(lacking[name])}'
        elif name in findings["troubles"]:
            state, style = findings["troubles"][name], "yellow"
        purpose = f" ({PURPOSES[name]})" if name in PURPOSES else ""
        out.print(f"  {name:{width}}  {state}{purpose}", style=style, markup=False)


def _print_models(out: Console, findings: dict[str, Any]) -> None:
    out.print("models")
    if not findings["models"]:
        out.print(f"  none in this version: auto is the classical method {findings['auto']}", markup=False)
    for model in findings["models"]:
        state = model["fault"] or ("runs, and is what auto means" if model["default"] else "runs")
        out.print(f"  {model['name']} {model['version']}: {state}", markup=False)
