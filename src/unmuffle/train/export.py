"""Export of a streaming network to one ONNX file that also runs many streams at once and whole files in long chunks.

The graph has two branches behind one test of the number of frames. For a single frame the recurrences are plain
multiply-adds, which is the fastest a stream can have; for several frames the linear maps run over all frames at once
and the recurrences are ``Scan`` nodes. Batch norms are folded away, and every state goes in and comes out:

    spectra [frames, streams, 769, 2], state_0, state_1, ... -> gains, heads, next_0, next_1, ...

Spectra are those of the house grid divided by the hop, real and imaginary parts last; bins that a rate does not have
are 0. Gains are complex factors for the same bins. Heads are the logit of the speech presence and the local SNR, 0 to 1
for -15 to 35 dB. All states are 0 at the start.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from unmuffle._version import __version__
from unmuffle.errors import InvalidParameterError
from unmuffle.train.export_classic import export_classic
from unmuffle.train.export_tracing import IR_VERSION, OPSET, frames_metadata, save, traced
from unmuffle.train.folding import folded
from unmuffle.train.networks import ConvTasNet, MaskBlstm, Network, UnmuffleS
from unmuffle.train.networks.bands import AIR_BINS, CORE_BINS, GRID_BINS
from unmuffle.train.simplify import simplify

TRACED_FRAMES, TRACED_STREAMS = 5, 3


class _FlatStates(nn.Module):
    """States as separate inputs and outputs."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, spectra: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        outputs = self.network(spectra, states)
        return outputs.gains, outputs.heads, *outputs.states


def export_network(network: Network, path: Path, metadata: dict[str, Any] | None = None) -> None:
    """Write any of the networks as ONNX, in the form that ``unmuffle enhance --model`` runs best.

    Parameters
    ----------
    network : Network
        With the weights to ship.
    path : Path
        File to write.
    metadata : dict, optional
        What to tell about it. For networks of waveforms ``sample_rate``, and ``chunk_s`` if they look at whole clips.

    Raises
    ------
    InvalidParameterError
        If there is no export for it.
    """
    if isinstance(network, MaskBlstm | ConvTasNet):
        export_classic(network, path, metadata or {})
    else:
        export_frames(network, path, metadata)


def export_frames(network: Network, path: Path, metadata: dict[str, Any] | None = None) -> None:
    """Write a network that works on frames of the house grid as ONNX.

    Parameters
    ----------
    network : Network
        A flagship, with the weights to ship.
    path : Path
        File to write.
    metadata : dict, optional
        What to tell about it beside the grid and the bands: training data, licences, scores.

    Raises
    ------
    InvalidParameterError
        If the network does not work on frames.
    """
    if not isinstance(network, UnmuffleS):
        raise InvalidParameterError(f"{type(network).__name__} does not work on frames of the house grid")
    plain = cast(UnmuffleS, folded(network))
    single, several = (_traced(plain, frames) for frames in (1, TRACED_FRAMES))
    simplify(single, [_probe(plain, 1, streams) for streams in (2, 3)])
    simplify(several, [_probe(plain, frames, streams) for frames, streams in ((5, 2), (7, 3))])
    model = _joined(single, several)
    save(model, path, _description(plain) | (metadata or {}))


def _description(network: UnmuffleS) -> dict[str, Any]:
    return frames_metadata() | {
        "version": __version__,
        "complex_bins": CORE_BINS + 1,
        "real_bins": AIR_BINS,
        "parameters": sum(weight.numel() for weight in network.parameters()),
    }


def _probe(network: UnmuffleS, frames: int, streams: int) -> dict[str, NDArray[Any]]:
    """Return inputs of a size."""
    states = {f"state_{number}": state.detach().numpy() for number, state in enumerate(network.start(streams))}
    return {"spectra": np.zeros((frames, streams, GRID_BINS, 2), np.float32), **states}


def _traced(network: UnmuffleS, frames: int) -> Any:
    """Return the ONNX model of the network for one frame or for any number of them, and any number of streams."""
    states = network.start(TRACED_STREAMS)
    streams = torch.export.Dim("streams", min=1, max=4096)
    rows = {0: network.positions * streams}
    shapes = [{0: streams}, {0: streams}, *(rows for _ in network.blocks), {0: streams}]
    dynamic = {1: streams} if frames == 1 else {0: torch.export.Dim("frames", min=2, max=65536), 1: streams}
    spectra = torch.zeros(frames, TRACED_STREAMS, GRID_BINS, 2)
    return traced(
        _FlatStates(network),
        (spectra, *states),
        (dynamic, *shapes),
        ["spectra", *(f"state_{n}" for n in range(len(states)))],
        ["gains", "heads", *(f"next_{n}" for n in range(len(states)))],
    )


def _joined(single: Any, several: Any) -> Any:
    """Put both graphs behind a test of the number of frames.

    Each branch has its own copy of the weights: ONNX Runtime rearranges for speed only what belongs to a branch itself.
    """
    from onnx import TensorProto, helper

    one = helper.make_tensor("one", TensorProto.INT64, [1], [1])
    test = [
        helper.make_node("Shape", ["spectra"], ["frames"], start=0, end=1),
        helper.make_node("Equal", ["frames", "one"], ["is_single"]),
    ]
    inputs, outputs = list(several.graph.input), list(several.graph.output)
    choice = helper.make_node(
        "If",
        ["is_single"],
        [output.name for output in outputs],
        then_branch=_branch(single.graph, "one"),
        else_branch=_branch(several.graph, "many"),
    )
    graph = helper.make_graph([*test, choice], "unmuffle", inputs, outputs, [one])
    opset = helper.make_opsetid("", OPSET)
    return helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="unmuffle")


def _branch(graph: Any, prefix: str) -> Any:
    """Return a graph as a branch: inputs from outside, every other name with a prefix."""
    from onnx import helper

    names = {entry.name: entry.name for entry in graph.input}
    weights = []
    for tensor in graph.initializer:
        weight = type(tensor)()
        weight.CopyFrom(tensor)
        weight.name = names[tensor.name] = f"{prefix}_{tensor.name}"
        weights.append(weight)
    nodes = list(_renamed(graph.node, names, prefix))
    outputs = [helper.make_tensor_value_info(names[entry.name], 1, None) for entry in graph.output]
    return helper.make_graph(nodes, prefix, [], outputs, weights)


def _renamed(nodes: Any, names: dict[str, str], prefix: str) -> Iterator[Any]:
    for node in nodes:
        copy = type(node)()
        copy.CopyFrom(node)
        copy.ClearField("metadata_props")
        copy.ClearField("doc_string")
        copy.name = ""
        for number, name in enumerate(node.input):
            copy.input[number] = names.get(name, name)
        for number, name in enumerate(node.output):
            names[name] = copy.output[number] = f"{prefix}_{name}"
        yield copy
