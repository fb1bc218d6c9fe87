"""What every export does: trace a network into ONNX, put ONNX's own operators for recurrences, tell what the file is.

PyTorch's exporter cannot trace a loop over an unknown number of frames. A linear recurrence therefore goes through it
as one operator of ours, which becomes a ``Scan`` afterwards, and a layer of LSTM becomes ONNX's own at once.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from unmuffle.errors import InvalidParameterError
from unmuffle.signal.grid import HOP_S
from unmuffle.train.losses import LOCAL_SNR_DB
from unmuffle.train.networks.bands import BIN_HZ, GRID_BINS

OPSET, IR_VERSION = 18, 10
FRAMES_FORMAT = "unmuffle-frames-1"
PLACEHOLDER = "LinearRecurrence"
PLACEHOLDER_DOMAIN = "unmuffle"


def traced(
    module: nn.Module,
    inputs: Sequence[Tensor],
    dynamic: Sequence[Any],
    names: Sequence[str],
    outputs: Sequence[str],
) -> Any:
    """Return the ONNX model of a module in evaluation mode.

    Parameters
    ----------
    module : Module
        Takes tensors and returns a tuple of tensors.
    inputs : sequence of Tensor
        To trace it with.
    dynamic : sequence of dict
        Dimensions of each input that may change, as ``torch.export`` takes them.
    names, outputs : sequence of str
        Of the inputs and outputs. Inputs from the second on are one variadic argument of the module.

    Raises
    ------
    InvalidParameterError
        If it could not be exported.
    """
    from onnxscript import opset18
    from onnxscript.values import Opset

    _register_placeholder()
    placeholder = Opset(PLACEHOLDER_DOMAIN, 1)

    def linear(decay: Any, drive: Any, start: Any) -> Any:
        return placeholder.LinearRecurrence(decay, drive, start)

    def lstm_layer(x: Any, of_input: Any, of_state: Any, biases: Any, hidden: Any, cell: Any) -> Any:
        directions, _, units = hidden.shape
        direction = "bidirectional" if directions == 2 else "forward"
        return opset18.LSTM(
            x, of_input, of_state, biases, None, hidden, cell, hidden_size=int(units), direction=direction
        )

    # It tells of every optional package that it does not find.
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    first, *rest = dynamic
    with warnings.catch_warnings():
        # The exporter warns of its own future.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module.eval(),
            tuple(inputs),
            dynamo=True,
            # The optimiser takes a sum with 1e-8 or less for no sum, and bands without power then give NaN.
            optimize=False,
            opset_version=OPSET,
            input_names=list(names),
            output_names=list(outputs),
            dynamic_shapes=(first, tuple(rest)) if rest else (first,),
            custom_translation_table={
                torch.ops.unmuffle.linear_recurrence.default: linear,
                torch.ops.unmuffle.lstm_layer.default: lstm_layer,
            },
            verbose=False,
        )
    if program is None:
        raise InvalidParameterError("the network could not be exported")
    model = program.model_proto
    for node in list(model.graph.node):
        # Where in the source it came from, which is most of a small file.
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
        if node.op_type == PLACEHOLDER:
            _replace_by_scan(model.graph, node)
    return model


def frames_metadata() -> dict[str, Any]:
    """Return what a file that takes frames of the house grid tells of them."""
    return {
        "format": FRAMES_FORMAT,
        "hop_ms": round(1000 * HOP_S),
        "window_ms": round(2000 * HOP_S),
        "window": "sqrt-hann",
        "bin_hz": BIN_HZ,
        "bins": GRID_BINS,
        "latency_frames": 1,
        "scale": "1 / hop",
        "local_snr_db": list(LOCAL_SNR_DB),
    }


def save(model: Any, path: Path, metadata: dict[str, Any]) -> None:
    """Check a model and write it with its metadata; what is not text goes in as JSON."""
    import onnx

    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value if isinstance(value, str) else json.dumps(value)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


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
