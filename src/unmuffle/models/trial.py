"""A short trial of a graph of frames when it is loaded: no model that gives NaN or infinity gets near a recording."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from unmuffle.errors import ModelError, ModelRuntimeError, one_line
from unmuffle.models.frames import FramesGraph, frames_graph
from unmuffle.models.session import KEPT, LoadedModel

FULL_SCALE = 0.64
"""Magnitude of a full-scale sine in its bin; here in all bins at once."""
TRIALS = (
    ("silence", 0.0, 1),
    ("silence", 0.0, 3),
    ("full-scale input", FULL_SCALE, 1),
    ("full-scale input", FULL_SCALE, 3),
)
"""What is heard, its magnitude, and frames a call: a graph may go separate ways for one frame and for several."""


def tried_frames_graph(loaded: LoadedModel) -> FramesGraph:
    """Check a graph against the contract, and that what it gives for silence and for full-scale input is finite.

    Raises
    ------
    ModelError
        See ``frames_graph``; or if it gives NaN or infinity, or fails.
    ModelRuntimeError
        If it does so although the file is the one that its card describes.
    """
    graph = frames_graph(loaded)
    if fault := _fault(graph):
        if loaded.model.card is not None:
            raise ModelRuntimeError(f"the model {loaded.model.name} {fault} on this machine: update onnxruntime")
        raise ModelError(f"{loaded.model.path} {fault}: train or export it again")
    return graph


@lru_cache(maxsize=KEPT)
def _fault(graph: FramesGraph) -> str | None:
    """What a graph does wrong, or None; silence comes again after the rest, so that states are tried too."""
    states = {
        f"state_{number}": np.zeros((state.rows, *state.shape), np.float32) for number, state in enumerate(graph.states)
    }
    phases = np.random.default_rng(0).uniform(0.0, 2.0 * np.pi, (3, 1, graph.bins))
    pattern = np.stack((np.cos(phases), np.sin(phases)), axis=-1).astype(np.float32)
    names = ["gains", "heads", *(f"next_{number}" for number in range(len(states)))]
    for heard, magnitude, frames in (*TRIALS, TRIALS[0]):
        feeds: dict[str, Any] = {"spectra": np.float32(magnitude) * pattern[:frames], **states}
        try:
            found = graph.session.run(names, feeds)
        except Exception as error:
            # Those of ONNX Runtime have no common base.
            return f"fails on {heard} ({one_line(error)})"
        if not all(np.isfinite(array).all() for array in found):
            return f"gives NaN or infinity for {heard}"
        states = {f"state_{number}": array for number, array in enumerate(found[2:])}
    return None
