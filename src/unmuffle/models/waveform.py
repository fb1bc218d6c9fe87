"""Graphs that take a waveform and give one back: networks that were made elsewhere.

One input [samples], [batch, samples] or [batch, 1, samples], and as first output as many samples. Metadata of the
file may tell ``sample_rate`` (Hz), ``chunk_s`` and ``overlap``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unmuffle.errors import ModelError
from unmuffle.models.frames import FLOAT
from unmuffle.models.session import LoadedModel

SAMPLE_RATE_HZ = 16_000
CHUNK_S = 1.0
OVERLAP = 0.25


@dataclass(frozen=True)
class WaveformGraph:
    """A loaded graph that takes waveforms.

    Attributes
    ----------
    session : InferenceSession
    name : str
        For messages.
    input : str
    dimensions : int
        Of the input, 1 to 3.
    chunk : int or None
        Samples it takes, where it takes no other number.
    one_by_one : bool
        Whether it takes one channel a call.
    sample_rate : int
        In Hz.
    chunk_s, overlap : float
        What it prefers.
    """

    session: Any
    name: str
    input: str
    dimensions: int
    chunk: int | None
    one_by_one: bool
    sample_rate: int
    chunk_s: float
    overlap: float


def waveform_graph(loaded: LoadedModel) -> WaveformGraph:
    """Tell how a graph is to be fed.

    Raises
    ------
    ModelError
        If it does not take one waveform.
    """
    path = loaded.model.path
    entry = loaded.inputs[0] if loaded.inputs else None
    fits = (
        entry is not None
        and len(loaded.inputs) == 1
        and entry.kind == FLOAT
        and (len(entry.shape) in (1, 2) or (len(entry.shape) == 3 and entry.shape[1] == 1))
        and (len(entry.shape) == 1 or entry.shape[0] == 1 or not isinstance(entry.shape[0], int))
    )
    if entry is None or not fits or not loaded.outputs:
        raise ModelError(
            f"{path} takes {', '.join(f'{port} of {port.kind}' for port in loaded.inputs) or 'nothing'}; it must take "
            "one float32 waveform, [samples], [batch, samples] or [batch, 1, samples], or frames of unmuffle's own"
        )
    chunk = entry.shape[-1]
    return WaveformGraph(
        loaded.session,
        loaded.model.name,
        entry.name,
        len(entry.shape),
        chunk if isinstance(chunk, int) else None,
        len(entry.shape) == 1 or entry.shape[0] == 1,
        round(_number(loaded, "sample_rate", SAMPLE_RATE_HZ)),
        _number(loaded, "chunk_s", CHUNK_S),
        _number(loaded, "overlap", OVERLAP),
    )


def _number(loaded: LoadedModel, key: str, default: float) -> float:
    told = loaded.metadata.get(key)
    try:
        return default if told is None else float(told)
    except ValueError:
        raise ModelError(f"{loaded.model.path}: {key} is {told!r} in its metadata; it must be a number") from None
