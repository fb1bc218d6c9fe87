"""Graphs that take hops of a waveform and carry their states: networks of waveforms that stream.

    audio [streams, n * hop], state_0 [streams, ...], ... -> enhanced [streams, n * hop], next_0, ...

The output is late by ``delay`` samples; all states are 0 at the start. The metadata of the file tell ``sample_rate``
(Hz), ``hop`` and ``delay`` (samples).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unmuffle.errors import ModelError
from unmuffle.models.frames import FLOAT
from unmuffle.models.session import LoadedModel, Port
from unmuffle.signal.grid import MAX_SAMPLE_RATE_HZ, MIN_SAMPLE_RATE_HZ

FORMAT = "unmuffle-stream-1"
FAMILY = "unmuffle-stream-"


@dataclass(frozen=True)
class StreamGraph:
    """A loaded graph that takes hops.

    Attributes
    ----------
    session : InferenceSession
    name : str
        For messages.
    shapes : tuple of tuple of int
        Of the states of one stream.
    sample_rate : int
        In Hz.
    hop, delay : int
        In samples.
    """

    session: Any
    name: str
    shapes: tuple[tuple[int, ...], ...]
    sample_rate: int
    hop: int
    delay: int


def takes_hops(loaded: LoadedModel) -> bool:
    """Return whether a graph is meant to take hops and states, be it whole or not."""
    names = {port.name for port in loaded.inputs}
    return loaded.metadata.get("format", "").startswith(FAMILY) or any(name.startswith("state_") for name in names)


def stream_graph(loaded: LoadedModel) -> StreamGraph:
    """Check a graph against the contract.

    Raises
    ------
    ModelError
        If the format is another version, an input or output is missing or has another shape, or the metadata tell no
        rate, hop or delay.
    """
    path, form = loaded.model.path, loaded.metadata.get("format")
    if form != FORMAT:
        told = "does not tell its format" if form is None else f"has the format {form}"
        raise ModelError(f"{path} has states, but {told}; of networks with states {FORMAT} can be run: export it again")
    inputs, outputs = ({port.name: port for port in ports} for ports in (loaded.inputs, loaded.outputs))
    states = {name.partition("_")[2] for name in {*inputs, *outputs} if name.startswith(("state_", "next_"))}
    numbers = range(len(states))
    _check_names(loaded, "input", set(inputs), {"audio", *(f"state_{n}" for n in numbers)})
    _check_names(loaded, "output", set(outputs), {"enhanced", *(f"next_{n}" for n in numbers)})
    for port in (inputs["audio"], outputs["enhanced"]):
        if port.kind != FLOAT or len(port.shape) != 2 or any(isinstance(size, int) for size in port.shape):
            raise ModelError(f"{path}: {port} of {port.kind} must be {FLOAT} ['streams', 'samples']")
    shapes = tuple(_shape(loaded, inputs[f"state_{n}"], outputs[f"next_{n}"]) for n in numbers)
    rate = _whole(loaded, "sample_rate", MIN_SAMPLE_RATE_HZ, MAX_SAMPLE_RATE_HZ)
    hop = _whole(loaded, "hop", 1, rate)
    return StreamGraph(loaded.session, loaded.model.name, shapes, rate, hop, _whole(loaded, "delay", 0, rate))


def _check_names(loaded: LoadedModel, kind: str, found: set[str], wanted: set[str]) -> None:
    if missing := sorted(wanted - found):
        raise ModelError(f"{loaded.model.path} has no {kind} {', '.join(missing)}: export it again")
    if kind == "input" and (strange := sorted(found - wanted)):
        raise ModelError(f"{loaded.model.path} takes {', '.join(strange)}, which {FORMAT} does not know")


def _shape(loaded: LoadedModel, port: Port, after: Port) -> tuple[int, ...]:
    rows, *shape = port.shape or (0,)
    fixed = tuple(size for size in shape if isinstance(size, int))
    if (
        port.kind != FLOAT
        or not isinstance(rows, str)
        or len(fixed) != len(shape)
        or len(after.shape) != len(port.shape)
    ):
        raise ModelError(
            f"{loaded.model.path}: {port} and {after} must both be ['streams', ...] with fixed sizes after that"
        )
    return fixed


def _whole(loaded: LoadedModel, key: str, least: int, most: int) -> int:
    told = loaded.metadata.get(key)
    try:
        value = int(told or "")
    except ValueError:
        value = -1
    if not least <= value <= most:
        raise ModelError(f"{loaded.model.path}: {key} is {told!r} in its metadata; it must be {least} to {most}")
    return value
