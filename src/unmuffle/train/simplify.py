"""Simplifying an exported graph for speed: the same numbers, up to rounding, from fewer and faster operators.

For one frame of one stream, half of the time goes into the mere calling of operators, so that each one less counts:

- *Shapes* that are computed at run time become constants, with -1 for what grows with frames or streams.
- *Gates.* A linear map that is split afterwards becomes one map a part: nothing is copied, and ONNX Runtime joins each
  with the sigmoid that follows.
- *Residuals.* A sum of a linear map and what came in becomes a linear map that starts from what came in. The bias that
  leaves no room for is taken over by the linear maps that read the sum.
- *Convolutions* over one dimension get a second one of size 1: for two, ONNX Runtime has kernels with blocked channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Feeds = Mapping[str, NDArray[Any]]
ELEMENTWISE = {"Add", "Mul", "Sigmoid"}
NEW_AXIS = "new_axis"


def simplify(model: Any, probes: Sequence[Feeds]) -> None:
    """Simplify a model in place.

    Parameters
    ----------
    model : ModelProto
        As the exporter leaves it: weights as initializers, no subgraphs but those of ``Scan``.
    probes : sequence of dict
        Inputs by name, of two sizes that have no number of frames, streams or both in common.
    """
    graph = _Graph(model.graph)
    _fix_shapes(graph, _shapes(model, graph, probes))
    _part_gates(graph)
    _start_from_residuals(graph)
    _widen_convolutions(graph)
    graph.sweep()


class _Graph:
    """Nodes and weights of a graph by name."""

    def __init__(self, graph: Any) -> None:
        self.graph = graph
        self.weights = {tensor.name: tensor for tensor in graph.initializer}

    def of_kind(self, kind: str) -> list[Any]:
        return [node for node in self.graph.node if node.op_type == kind]

    def makers(self) -> dict[str, Any]:
        return {name: node for node in self.graph.node for name in node.output}

    def readers(self, name: str) -> list[Any]:
        return [node for node in self.graph.node if name in node.input]

    def weight(self, name: str) -> NDArray[Any]:
        from onnx import numpy_helper

        return numpy_helper.to_array(self.weights[name])

    def add_weight(self, name: str, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        if name not in self.weights:
            tensor = numpy_helper.from_array(np.ascontiguousarray(value), name)
            self.graph.initializer.append(tensor)
            self.weights[name] = tensor
        return name

    def replace(self, old: Sequence[Any], new: Sequence[Any]) -> None:
        """Put nodes in the place of the last of others."""
        nodes = list(self.graph.node)
        place = max(nodes.index(node) for node in old) + 1 - len(old)
        for node in old:
            self.graph.node.remove(node)
        for node in reversed(new):
            self.graph.node.insert(place, node)

    def sweep(self) -> None:
        """Remove what nobody reads."""
        while True:
            read = {entry.name for entry in self.graph.output} | {n for node in self.graph.node for n in node.input}
            idle = [node for node in self.graph.node if not read.intersection(node.output)]
            if not idle:
                break
            for node in idle:
                self.graph.node.remove(node)
        for tensor in list(self.graph.initializer):
            if tensor.name not in read:
                self.graph.initializer.remove(tensor)


def _node(kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> Any:
    from onnx import helper

    return helper.make_node(kind, inputs, [output], **attributes)


def _attributes(node: Any) -> dict[str, Any]:
    from onnx import helper

    return {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}


def _shapes(model: Any, graph: _Graph, probes: Sequence[Feeds]) -> dict[str, list[tuple[int, ...]]]:
    """Shapes of what goes into and comes out of each ``Reshape`` of real numbers, for all probes."""
    import onnxruntime
    from onnx import helper

    names = sorted({name for node in graph.of_kind("Reshape") for name in (node.input[0], node.output[0])})
    probed = type(model)()
    probed.CopyFrom(model)
    del probed.graph.output[:]
    probed.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(probed.SerializeToString(), options, providers=["CPUExecutionProvider"])
    taken = {entry.name for entry in session.get_inputs()}
    found = [session.run(names, {name: feeds[name] for name in taken}) for feeds in probes]
    return {
        name: [array.shape for array in arrays]
        for name, arrays in zip(names, zip(*found, strict=True), strict=True)
        if arrays[0].dtype == np.float32
    }


def _fix_shapes(graph: _Graph, shapes: dict[str, list[tuple[int, ...]]]) -> None:
    for node in graph.of_kind("Reshape"):
        if node.input[0] not in shapes:
            continue
        before, after = np.array(shapes[node.input[0]]), np.array(shapes[node.output[0]])
        wanted, growing = after[0].copy(), list(np.flatnonzero(after[0] != after[1]))
        if len(growing) > 1 and growing[0] < before.shape[1] and (before == 0).sum() == 0:
            place = growing[0]
            if (before[:, place] == after[:, place]).all():
                wanted[place] = 0  # As it comes in.
                del growing[0]
        if len(growing) > 1:
            continue
        wanted[growing] = -1
        node.input[1] = graph.add_weight(f"{node.output[0]}_shape", wanted.astype(np.int64))
        del node.attribute[:]


def _part_gates(graph: _Graph) -> None:
    from onnx import numpy_helper

    for split in graph.of_kind("SplitToSequence"):
        makers = graph.makers()
        linear, parts = makers[split.input[0]], graph.readers(split.output[0])
        if linear.op_type != "Gemm" or not _attributes(linear).get("transB"):
            continue
        weights, bias = (graph.weight(name) for name in linear.input[1:3])
        units, new = len(bias) // len(parts), []
        for part in parts:
            number = int(numpy_helper.to_array(_attributes(makers[part.input[1]])["value"]))
            rows, name = slice(number * units, (number + 1) * units), part.output[0]
            inputs = [
                linear.input[0],
                graph.add_weight(f"{name}_weight", weights[rows].T),
                graph.add_weight(f"{name}_bias", bias[rows]),
            ]
            new.append(_node("Gemm", inputs, name))
        graph.replace([linear, split, *parts], new)


def _start_from_residuals(graph: _Graph) -> None:
    """Turn r + (x W + b) into x W with r for a bias, and keep what is then missing of the sums by name."""
    missing: dict[str, NDArray[np.float64]] = {}
    for node in list(graph.graph.node):
        if node.op_type == "Gemm" and node.input[0] in missing:
            weights = graph.weight(node.input[1])
            weights = weights.T if _attributes(node).get("transB") else weights
            _add_to_bias(graph, node, missing[node.input[0]] @ weights)
        elif node.op_type == "Add" and (found := _residual(graph, node)):
            linear, rest = found
            total = node.output[0]
            missing[total] = missing.get(rest, 0.0) + graph.weight(linear.input[2]).astype(np.float64)
            joined = _node("Gemm", [*linear.input[:2], rest], total, **_attributes(linear))
            graph.replace([linear, node], [joined])
        elif node.op_type == "Add" and node.input[0] in missing:
            _add_to_bias(graph, graph.makers()[node.input[1]], missing[node.input[0]])


def _add_to_bias(graph: _Graph, linear: Any, rest: NDArray[np.float64]) -> None:
    bias = (graph.weight(linear.input[2]) + rest).astype(np.float32)
    linear.input[2] = graph.add_weight(f"{linear.input[2]}_and_rest_for_{linear.output[0]}", bias)


def _residual(graph: _Graph, total: Any) -> tuple[Any, str] | None:
    """Return the linear map of a sum and what is added to it, if all that read the sum can make good for the bias."""
    makers = graph.makers()
    rest, name = total.input
    linear = makers.get(name)
    if not _adds_linear(graph, total, makers) or makers.get(rest) is None or makers[rest].op_type != "Gemm":
        return None
    is_read_elsewhere = total.output[0] in {entry.name for entry in graph.graph.output}
    for reader in graph.readers(total.output[0]):
        is_linear = _is_linear(graph, reader) and reader.input[0] == total.output[0]
        adds = _adds_linear(graph, reader, makers) and reader.input[0] == total.output[0]
        is_read_elsewhere |= not (is_linear or adds)
    return None if is_read_elsewhere else (linear, rest)


def _is_linear(graph: _Graph, node: Any) -> bool:
    if node is None or node.op_type != "Gemm" or len(node.input) < 3 or node.input[2] not in graph.weights:
        return False
    told = _attributes(node)
    return bool(told.get("alpha", 1.0) == told.get("beta", 1.0) == 1.0)


def _adds_linear(graph: _Graph, node: Any, makers: dict[str, Any]) -> bool:
    """Whether a node adds a linear map that nobody else reads to something."""
    name = node.input[-1]
    return node.op_type == "Add" and _is_linear(graph, makers.get(name)) and len(graph.readers(name)) == 1


def _widen_convolutions(graph: _Graph) -> None:
    axis = graph.add_weight(NEW_AXIS, np.array([2], np.int64))
    for node in graph.of_kind("Conv"):
        told, output = _attributes(node), node.output[0]
        kernel = graph.weight(node.input[1])
        if kernel.ndim != 3:
            continue
        weights = graph.add_weight(f"{node.input[1]}_2d", kernel[:, :, None])
        before, after = told["pads"]
        sizes = {
            "kernel_shape": [1, *told["kernel_shape"]],
            "strides": [1, *told.get("strides", [1])],
            "dilations": [1, *told.get("dilations", [1])],
            "pads": [0, before, 0, after],
        }
        wide, narrow = f"{output}_in", f"{output}_out"
        new = [
            _node("Unsqueeze", [node.input[0], axis], wide),
            _node("Conv", [wide, weights, *node.input[2:]], narrow, group=told.get("group", 1), **sizes),
            _node("Squeeze", [narrow, axis], output),
        ]
        graph.replace([node], new)
    while _squeeze_later(graph):
        pass
    makers = graph.makers()
    for node in graph.of_kind("Unsqueeze"):
        source = _squeezed(makers.get(node.input[0]))
        if source is not None and list(node.input[1:]) == [NEW_AXIS]:
            for reader in graph.readers(node.output[0]):
                _reread(reader, node.output[0], source)


def _squeeze_later(graph: _Graph) -> bool:
    """Move one elementwise operator before the squeezes of all that it takes; return whether there was one."""
    makers = graph.makers()
    for node in graph.graph.node:
        if node.op_type not in ELEMENTWISE:
            continue
        sources = [source for name in node.input if (source := _squeezed(makers.get(name)))]
        if len(sources) < len(node.input):
            continue
        output = node.output[0]
        earlier = _node(node.op_type, sources, f"{output}_wide")
        graph.replace([node], [earlier, _node("Squeeze", [f"{output}_wide", NEW_AXIS], output)])
        return True
    return False


def _squeezed(node: Any) -> str | None:
    """What a node squeezes, if it is one of our squeezes."""
    is_ours = node is not None and node.op_type == "Squeeze" and list(node.input[1:]) == [NEW_AXIS]
    return str(node.input[0]) if is_ours else None


def _reread(node: Any, old: str, new: str) -> None:
    for number, name in enumerate(node.input):
        if name == old:
            node.input[number] = new
