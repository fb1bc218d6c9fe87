"""``unmuffle doctor``: what is installed, and whether this machine keeps up."""

from __future__ import annotations

import json
import platform
import time
from importlib import metadata
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console

from unmuffle._version import __version__
from unmuffle.cli.console import EXIT_FAILED, plain_errors
from unmuffle.cli.extras import extras
from unmuffle.denoise import AUTO, METHODS
from unmuffle.enhancer import Enhancer

CORE = ("numpy", "scipy", "soxr", "soundfile", "av", "onnxruntime", "lazy-loader", "typer", "rich")
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
    return {
        "unmuffle": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: _version(name) for name in CORE},
        "extras": extras(),
        "models": [],
        "auto": AUTO,
        "real_time_factor": {name: round(real_time_factor(name), 5) for name in METHODS},
    }


def real_time_factor(method: str) -> float:
    """Return the time a live stream takes for a second of audio: 48 kHz, mono, blocks of 10 ms."""
    block_size = round(BLOCK_S * TRIAL_RATE_HZ)
    noise = np.random.default_rng(0).standard_normal((round(TRIAL_S / BLOCK_S), block_size))
    blocks = (0.05 * noise).astype(np.float32)
    stream = Enhancer(method).open_stream(TRIAL_RATE_HZ, block_size=block_size)
    started = time.perf_counter()
    for block in blocks:
        stream.process(block)
    return (time.perf_counter() - started) / TRIAL_S


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
    out.print("extras")
    for name, missing in findings["extras"].items():
        state = f'not installed: pip install "unmuffle[{name}]"' if missing else "installed"
        out.print(f"  {name}: {state}", markup=False)
    out.print(f"models\n  none in this version: auto is the classical method {findings['auto']}", markup=False)
    out.print("real-time factor, live at 48 kHz mono in 10 ms blocks")
    for name, factor in findings["real_time_factor"].items():
        out.print(f"  {name}: {factor:.4f}", markup=False)
    auto = findings["real_time_factor"][findings["auto"]]
    verdict = (
        f"this machine keeps up: auto needs {auto:.1%} of one core"
        if auto < KEEPS_UP_BELOW
        else f"this machine does not keep up: auto needs {auto:.0%} of one core; choose a faster method"
    )
    out.print(verdict, style="green" if auto < KEEPS_UP_BELOW else "red", markup=False)
    if any(version is None for version in findings["packages"].values()):
        raise typer.Exit(EXIT_FAILED)
