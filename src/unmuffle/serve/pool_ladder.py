"""What a pool can run, from the best to the lightest: its model, smaller ones that ship, and log-MMSE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unmuffle.denoise.choice import FALLBACK, ModelName
from unmuffle.denoise.networks import frames_network
from unmuffle.denoise.suppressors import LogMmse
from unmuffle.errors import ModelError, ModelRuntimeError
from unmuffle.models import Model, default_model, find_model, list_models
from unmuffle.serve.batch_method import BatchMethod
from unmuffle.serve.batch_network import BatchNetwork
from unmuffle.serve.pool_lane import Frames, Lane
from unmuffle.serve.pool_rungs import BatchSuppressor
from unmuffle.signal.arrays import ComplexArray

AUTO = "auto"
REHEARSED_ROWS = (1, 16, 48)


@dataclass(frozen=True)
class PoolLadder:
    """The rungs of a pool but for the bypass.

    Attributes
    ----------
    model : Model or None
        The best; None where log-MMSE stands in for it.
    names : tuple of str
    suppressors : tuple of BatchSuppressor
    warning : str or None
        Why log-MMSE stands in.
    """

    model: Model | None
    names: tuple[str, ...]
    suppressors: tuple[BatchSuppressor, ...]
    warning: str | None = None


def lay_ladder(model: ModelName, capacity: int, *, lighter: bool) -> PoolLadder:
    """Return the rungs for a model.

    Parameters
    ----------
    model : str or path
        ``"auto"``, the name of one that ships, or an ONNX file.
    capacity : int
        Slots of the pool.
    lighter : bool
        Whether to make what there is below the best as well.

    Raises
    ------
    InvalidParameterError
        If there is no model of that name.
    ModelError
        If a file that was named is at fault, or takes waveforms, of which no batches can be made.
    """
    log_mmse = BatchMethod(LogMmse, capacity)
    chosen: Model | None = None
    warning = None
    networks: list[tuple[str, BatchSuppressor]] = []
    try:
        chosen = default_model() if model == AUTO else find_model(model)
        if chosen is not None:
            networks.append((chosen.name, BatchNetwork(frames_network(chosen).graph, capacity)))
    except ModelError as error:
        if model != AUTO and not isinstance(error, ModelRuntimeError):
            raise
        chosen, warning = None, f"{error}; {FALLBACK} is used instead"
    if chosen is not None and lighter:
        networks += _smaller(chosen, capacity)
    rungs = networks if networks and not lighter else [*networks, (FALLBACK, log_mmse)]
    _rehearse([suppressor for _, suppressor in rungs], capacity)
    names, suppressors = zip(*rungs, strict=True)
    return PoolLadder(chosen, names, suppressors, warning)


def _smaller(model: Model, capacity: int) -> list[tuple[str, BatchSuppressor]]:
    """Networks of the models that ship and are smaller than this one, the largest first."""
    found: list[tuple[str, BatchSuppressor]] = []
    size = model.path.stat().st_size
    smaller = [other for other in list_models() if other.path.stat().st_size < size]
    for other in sorted(smaller, key=lambda other: other.path.stat().st_size, reverse=True):
        try:
            found.append((other.name, BatchNetwork(frames_network(other).graph, capacity)))
        except ModelError:
            # What cannot run here, or not in batches, is no way out.
            continue
    return found


def _rehearse(suppressors: Sequence[BatchSuppressor], capacity: int) -> None:
    """Run all of it once: the first time takes longer, and would count as overload."""
    lane = Lane(16_000, 1, capacity)
    for rows in sorted({min(rows, capacity) for rows in REHEARSED_ROWS}):
        slots = np.arange(rows)
        noise = 0.01 * np.random.default_rng(0).standard_normal((rows, 2 * lane.grid.bins), np.float32)
        spectra: ComplexArray = noise.view(np.complex64)
        for suppressor in suppressors:
            suppressor.gains([Frames(lane, slots, spectra)])
    for suppressor in suppressors:
        suppressor.reset(np.arange(min(capacity, max(REHEARSED_ROWS))))
        suppressor.forget(lane)
