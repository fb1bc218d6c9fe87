"""Simplifying an exported graph keeps its numbers, leaves out what only cost time, and holds for every size."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, checker, helper, numpy_helper

from unmuffle.train.simplify import simplify

UNITS = 4


def weight(name, *shape):
    values = 0.3 * np.random.default_rng(len(name) + len(shape)).standard_normal(shape)
    return numpy_helper.from_array(values.astype(np.float32), name)


def constant(name, values):
    return numpy_helper.from_array(np.asarray(values, np.int64), name)


def node(line, **attributes):
    """A node from 'Kind input input -> output output'."""
    left, _, right = line.partition(" -> ")
    kind, *inputs = left.split()
    return helper.make_node(kind, inputs, right.split(), **attributes)


def example():
    """Rows [n * 3, 4] through a gate, two residuals one behind the other, a shape told at run time, convolutions."""
    nodes = [
        node("Shape x -> rows", start=0, end=1),
        node("Gemm x w0 b0 -> begun", transB=1),
        node("Gemm begun w_gate b_gate -> gates", transB=1),
        node("SplitToSequence gates units -> parts", axis=1, keepdims=1),
        *(node(f"Constant -> place{n}", value=numpy_helper.from_array(np.int64(n))) for n in range(3)),
        *(node(f"SequenceAt parts place{n} -> part{n}") for n in range(3)),
        node("Sigmoid part0 -> opened"),
        node("Mul opened part1 -> let_in"),
        node("Add let_in part2 -> gated"),
        node("Gemm gated w1 b1 -> first", transB=1),
        node("Add begun first -> once"),
        node("Gemm once w2 b2 -> second", transB=1),
        node("Add once second -> twice"),
        node("Gemm twice w3 b3 -> left", transB=1),
        node("Div rows three -> clips"),
        node("Concat clips three channels_and_places -> clip_shape", axis=0),
        node("Reshape left clip_shape -> clips_of_rows"),
        node("Conv clips_of_rows k0 c0 -> wide", kernel_shape=[3], pads=[1, 1], strides=[1]),
        node("Sigmoid wide -> bent"),
        node("Mul wide bent -> silu"),
        node("Conv silu k1 c1 -> narrow", kernel_shape=[2], pads=[0, 0], strides=[2]),
        node("Conv silu k2 c2 -> also", kernel_shape=[3], pads=[0, 2], strides=[2], dilations=[1]),
        node("Add narrow also -> y"),
    ]
    weights = [
        *(weight(f"w{n}", UNITS, UNITS) for n in range(4)),
        *(weight(f"b{n}", UNITS) for n in range(4)),
        weight("w_gate", 3 * UNITS, UNITS),
        weight("b_gate", 3 * UNITS),
        weight("k0", 5, 3, 3),
        weight("c0", 5),
        weight("k1", 2, 5, 2),
        weight("c1", 2),
        weight("k2", 2, 5, 3),
        weight("c2", 2),
        constant("units", UNITS),
        constant("three", [3]),
        constant("channels_and_places", [UNITS]),
    ]
    kind = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "example",
        [helper.make_tensor_value_info("x", kind, ["3*clips", UNITS])],
        [helper.make_tensor_value_info("y", kind, ["clips", 2, 2])],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def rows(clips, seed=0):
    return {"x": np.random.default_rng(seed).standard_normal((3 * clips, UNITS)).astype(np.float32)}


def run(model, feeds):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options).run(None, feeds)[0]


@pytest.fixture(scope="module")
def simplified():
    model = example()
    simplify(model, [rows(2), rows(5)])
    checker.check_model(model)
    return model


@pytest.mark.parametrize("clips", [1, 2, 7, 40])
def test_numbers_stay(simplified, clips):
    feeds = rows(clips, seed=clips)
    wanted = run(example(), feeds)
    assert wanted.shape == (clips, 2, 2)
    assert np.ptp(wanted) > 0.1
    np.testing.assert_allclose(run(simplified, feeds), wanted, atol=1e-6)


def test_what_only_cost_time_is_gone(simplified):
    left = Counter(entry.op_type for entry in simplified.graph.node)
    assert not {"Shape", "Div", "Concat", "SplitToSequence", "SequenceAt", "Constant"} & set(left)
    # One for the gate and one for the two convolutions: no sum with a linear map is left.
    assert left["Add"] == 2
    assert left["Gemm"] == 1 + 3 + 1 + 1 + 1
    # Between convolutions nothing is reshaped.
    assert (left["Unsqueeze"], left["Squeeze"], left["Conv"]) == (1, 1, 3)


def test_weights_that_nobody_reads_are_gone(simplified):
    read = {name for entry in simplified.graph.node for name in entry.input}
    assert {entry.name for entry in simplified.graph.initializer} <= read


def test_a_sum_whose_reader_cannot_make_good_for_the_bias_stays():
    model = example()
    model.graph.output.append(helper.make_tensor_value_info("bent_sum", TensorProto.FLOAT, None))
    model.graph.node.append(node("Sigmoid twice -> bent_sum"))
    before = example()
    before.graph.CopyFrom(model.graph)
    simplify(model, [rows(2), rows(5)])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    found, wanted = (
        onnxruntime.InferenceSession(one.SerializeToString(), options).run(None, rows(3)) for one in (model, before)
    )
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
