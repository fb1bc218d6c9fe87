"""``unmuffle models``: the networks there are."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from unmuffle.cli.console import EXIT_FAILED, plain_errors
from unmuffle.denoise import AUTO
from unmuffle.errors import ModelError
from unmuffle.models import Model, find_model, list_models

CHECK_RATE_HZ = 16_000


@plain_errors
def command(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME|FILE]", help="Tell all of one, or of an ONNX file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """List the networks there are, or tell of one and check it."""
    models = list_models() if name is None else (find_model(name),)
    told = [told_of(model) for model in models]
    if as_json:
        typer.echo(json.dumps(told if name is None else told[0], indent=2))
    elif not told:
        typer.echo(f"no model comes with this version: auto is the classical method {AUTO}")
    elif name is None:
        _print_list(told)
    else:
        _print_card(told[0])
    if any(entry["fault"] for entry in told):
        raise typer.Exit(EXIT_FAILED)


def told_of(model: Model) -> dict[str, Any]:
    """Return what the card and the file of a model tell, and its fault if it cannot be run."""
    from unmuffle.denoise.networks import network_processor
    from unmuffle.models.session import load_model, sha256_of

    told: dict[str, Any] = {"name": model.name, "version": None, "summary": None, "default": False}
    told |= {} if model.card is None else asdict(model.card)
    told |= {"path": str(model.path), "fault": None, "metadata": {}}
    try:
        processor = network_processor(model, CHECK_RATE_HZ)
        told["metadata"] = load_model(model).metadata
        told["kind"] = type(processor).__name__
        told["latency_ms"] = told.get("latency_ms") or processor.latency_ms
        told["sha256"] = sha256_of(model.path)
    except ModelError as error:
        told["fault"] = str(error)
    return told


def _print_list(told: list[dict[str, Any]]) -> None:
    width = max(len(f"{entry['name']} {entry['version']}") for entry in told)
    for entry in told:
        mark = " (auto)" if entry["default"] else ""
        typer.echo(f"{entry['name']} {entry['version']}".ljust(width) + f"  {entry['fault'] or entry['summary']}{mark}")


def _print_card(told: dict[str, Any]) -> None:
    metadata = told.pop("metadata")
    for key, value in told.items():
        if key == "figures" or value in (None, "", ()):
            continue
        typer.echo(f"{key}: {'; '.join(value) if isinstance(value, tuple) else value}")
    for title, entries in (("figures", told.get("figures") or {}), ("in the file", metadata)):
        if entries:
            typer.echo(title)
        for key in sorted(entries):
            typer.echo(f"  {key}: {entries[key]}")
