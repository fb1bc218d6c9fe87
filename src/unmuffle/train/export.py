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

import json
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from unmuffle._version import __version__
from unmuffle.errors import InvalidParameterError
from unmuffle.signal.grid import HOP_S
from unmuffle.train.folding import folded
from unmuffle.train.losses import LOCAL_SNR_DB
from unmuffle.train.networks import Network, UnmuffleS
from unmuffle.train.networks.bands import AIR_BINS, BIN_HZ, CORE_BINS, GRID_BINS

OPSET, IR_VERSION = 18, 10
FORMAT = "unmuffle-frames-1"
PLACEHOLDER = "LinearRecurrence"
PLACEHOLDER_DOMAIN = "unmuffle"
TRACED_FRAMES, TRACED_STREAMS = 5, 3


class _FlatStates(nn.Module):
    """States as separate inputs and outputs."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, spectra: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        outputs = self.network(spectra, states)
        return outputs.gains, outputs.heads, *outputs.states


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
    import onnx

    if not isinstance(network, UnmuffleS):
        raise InvalidParameterError(f"{type(network).__name__} does not work on frames of the house grid")
    plain = cast(UnmuffleS, folded(network))
    single, several = (_traced(plain, frames) for frames in (1, TRACED_FRAMES))
    for node in list(several.graph.node):
        if node.op_type == PLACEHOLDER:
            _replace_by_scan(several.graph, node)
    model = _joined(single, several)
    for key, value in (_description(plain) | (metadata or {})).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value if isinstance(value, str) else json.dumps(value)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def _description(network: UnmuffleS) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": __version__,
        "hop_ms": round(1000 * HOP_S),
        "window_ms": round(2000 * HOP_S),
        "window": "sqrt-hann",
        "bin_hz": BIN_HZ,
        "bins": GRID_BINS,
        "complex_bins": CORE_BINS + 1,
        "real_bins": AIR_BINS,
        "latency_frames": 1,
        "scale": "1 / hop",
        "local_snr_db": list(LOCAL_SNR_DB),
        "parameters": sum(weight.numel() for weight in network.parameters()),
    }


def _traced(network: UnmuffleS, frames: int) -> Any:
    """Return the ONNX model of the network for one frame or for any number of them, and any number of streams."""
    from onnxscript.values import Opset

    _register_placeholder()
    placeholder = Opset(PLACEHOLDER_DOMAIN, 1)

    def recurrence(decay: Any, drive: Any, start: Any) -> Any:
        return placeholder.LinearRecurrence(decay, drive, start)

    # It tells of every optional package that it does not find.
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    states = network.start(TRACED_STREAMS)
    streams = torch.export.Dim("streams", min=1, max=4096)
    rows = {0: network.positions * streams}
    shapes = [{0: streams}, {0: streams}, *(rows for _ in network.blocks), {0: streams}]
    dynamic = {1: streams} if frames == 1 else {0: torch.export.Dim("frames", min=2, max=65536), 1: streams}
    spectra = torch.zeros(frames, TRACED_STREAMS, GRID_BINS, 2)
    with warnings.catch_warnings():
        # The exporter warns of its own future.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            _FlatStates(network).eval(),
            (spectra, *states),
            dynamo=True,
            # The optimiser takes a sum with 1e-8 or less for no sum, and bands without power then give NaN.
            optimize=False,
            opset_version=OPSET,
            input_names=["spectra", *(f"state_{n}" for n in range(len(states)))],
            output_names=["gains", "heads", *(f"next_{n}" for n in range(len(states)))],
            dynamic_shapes=(dynamic, tuple(shapes)),
            custom_translation_table={torch.ops.unmuffle.linear_recurrence.default: recurrence},
            verbose=False,
        )
    if program is None:
        raise InvalidParameterError("the network could not be exported")
    return program.model_proto


def _register_placeholder() -> None:
    from onnx import defs

    if defs.has(PLACEHOLDER, PLACEHOLDER_DOMAIN):
        return
    kind, one = "tensor(float)", defs.OpSchema.FormalParameter
    defs.register_schema(
        defs.OpSchema(
            PLACEHOLDER,
            PLACEHOLDER_DOMAIN,
            1,
            inputs=[one(name, kind) for name in ("decay", "drive", "start")],
            outputs=[one("states", kind)],
        )
    )


def _replace_by_scan(graph: Any, node: Any) -> None:
    """Put a ``Scan`` with the body h = drive + decay h in the place of a recurrence."""
    from onnx import TensorProto, helper

    decay, drive, start = node.input
    kind = TensorProto.FLOAT
    body = helper.make_graph(
        [
            helper.make_node("Mul", ["decay", "before"], ["kept"]),
            helper.make_node("Add", ["kept", "drive"], ["state"]),
            helper.make_node("Identity", ["state"], ["after"]),
        ],
        "recurrence",
        [helper.make_tensor_value_info(name, kind, None) for name in ("before", "decay", "drive")],
        [helper.make_tensor_value_info(name, kind, None) for name in ("after", "state")],
    )
    (states,) = node.output
    scan = helper.make_node("Scan", [start, decay, drive], [f"{states}_last", states], body=body, num_scan_inputs=2)
    place = list(graph.node).index(node)
    graph.node.remove(node)
    graph.node.insert(place, scan)


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
