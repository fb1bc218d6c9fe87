"""Graphs that take frames of the house grid: what they promise, and whether they keep it.

    spectra [frames, streams, bins, 2], state_0, state_1, ... -> gains, heads, next_0, next_1, ...

Spectra are divided by the hop, real and imaginary parts last. The first dimension of a state is ``streams`` or a
multiple of it; all states are 0 at the start.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from unmuffle.errors import ModelError
from unmuffle.models.session import LoadedModel, Port

FORMAT = "unmuffle-frames-1"
FAMILY = "unmuffle-frames-"
FLOAT = "tensor(float)"
LOCAL_SNR_DB = (-15.0, 35.0)

_GRID = {"hop_ms": "16", "window_ms": "32", "window": "sqrt-hann", "scale": "1 / hop", "bin_hz": "31.25"}


@dataclass(frozen=True)
class State:
    """A state: rows that each stream has of it, and the shape of a row."""

    rows: int
    shape: tuple[int, ...]


@dataclass(frozen=True)
class FramesGraph:
    """A loaded graph that takes frames.

    Attributes
    ----------
    session : InferenceSession
    bins : int
        That the graph takes; from 0 Hz on, 31.25 Hz each.
    states : tuple of State
    local_snr_db : (float, float)
        What 0 and 1 of the second head stand for.
    """

    session: Any
    bins: int
    states: tuple[State, ...]
    local_snr_db: tuple[float, float]


def takes_frames(loaded: LoadedModel) -> bool:
    """Return whether a graph is meant to take frames, be it whole or not."""
    return loaded.metadata.get("format", "").startswith(FAMILY) or any(p.name == "spectra" for p in loaded.inputs)


def frames_graph(loaded: LoadedModel) -> FramesGraph:
    """Check a graph against the contract.

    Raises
    ------
    ModelError
        If the format is another version, an input or output is missing or has another shape, or the grid is not ours.
    """
    path = loaded.model.path
    _check_format(loaded)
    inputs, outputs = ({port.name: port for port in ports} for ports in (loaded.inputs, loaded.outputs))
    _check_names(loaded, set(inputs), set(outputs))
    frames, streams, bins, parts = _dimensions(loaded, inputs["spectra"], 4)
    if not (isinstance(streams, str) and isinstance(frames, str) and isinstance(bins, int) and parts == 2):
        raise ModelError(f"{path}: spectra is {inputs['spectra']}; it must be ['frames', 'streams', bins, 2]")
    wanted = {"gains": inputs["spectra"].shape, "heads": (frames, streams, 2)}
    for name, shape in wanted.items():
        if outputs[name].shape != shape:
            raise ModelError(f"{path}: {outputs[name]} must have the shape {list(shape)}")
    count = sum(name.startswith("state_") for name in inputs)
    states = tuple(_state(loaded, inputs[f"state_{n}"], outputs[f"next_{n}"], streams) for n in range(count))
    return FramesGraph(loaded.session, bins, states, _local_snr_db(loaded))


def _check_format(loaded: LoadedModel) -> None:
    path, told = loaded.model.path, loaded.metadata
    form = told.get("format")
    if form is None:
        raise ModelError(f"{path} takes spectra, but does not tell its format; {FORMAT} can be run")
    if form != FORMAT:
        raise ModelError(f"{path} has the format {form}; this version runs {FORMAT}: update unmuffle, or export again")
    for key, value in _GRID.items():
        if told.get(key, value) != value:
            raise ModelError(f"{path} was made for {key} = {told[key]}; the grid here has {value}")


def _check_names(loaded: LoadedModel, inputs: set[str], outputs: set[str]) -> None:
    path = loaded.model.path
    states = {name.partition("_")[2] for name in inputs | outputs if name.startswith(("state_", "next_"))}
    wanted_in = {"spectra", *(f"state_{n}" for n in range(len(states)))}
    wanted_out = {"gains", "heads", *(f"next_{n}" for n in range(len(states)))}
    if missing := sorted(wanted_in - inputs):
        raise ModelError(f"{path} has no input {', '.join(missing)}: it cannot keep its state; export it again")
    if missing := sorted(wanted_out - outputs):
        raise ModelError(f"{path} has no output {', '.join(missing)}: export it again")
    if strange := sorted(inputs - wanted_in):
        raise ModelError(f"{path} takes {', '.join(strange)}, which {FORMAT} does not know")


def _dimensions(loaded: LoadedModel, port: Port, count: int | None = None) -> tuple[int | str | None, ...]:
    if port.kind != FLOAT:
        raise ModelError(f"{loaded.model.path}: {port.name} is {port.kind}; it must be {FLOAT}")
    if count is not None and len(port.shape) != count:
        raise ModelError(f"{loaded.model.path}: {port} must have {count} dimensions")
    return port.shape


def _state(loaded: LoadedModel, port: Port, after: Port, streams: str) -> State:
    rows, *shape = _dimensions(loaded, port)
    name = re.escape(streams)
    found = re.fullmatch(rf"(?:(\d+)\s*\*\s*)?{name}(?:\s*\*\s*(\d+))?", str(rows))
    if found is None or not all(isinstance(size, int) for size in shape) or after.shape != port.shape:
        raise ModelError(
            f"{loaded.model.path}: {port} and {after} must both be [{streams}, ...] or [n*{streams}, ...] with fixed "
            "sizes after that"
        )
    return State(int(found[1] or found[2] or 1), tuple(int(size) for size in shape if size is not None))


def _local_snr_db(loaded: LoadedModel) -> tuple[float, float]:
    told = loaded.metadata.get("local_snr_db")
    try:
        low, high = json.loads(told) if told else LOCAL_SNR_DB
        return float(low), float(high)
    except (ValueError, TypeError):
        raise ModelError(f"{loaded.model.path}: local_snr_db is {told}; it must be two numbers") from None
