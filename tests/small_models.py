"""Small ONNX models for tests, made without torch: one that takes frames and has real states, one of waveforms."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper

BINS = 769
FORGET = 0.9
METADATA = {
    "format": "unmuffle-frames-1",
    "hop_ms": "16",
    "window_ms": "32",
    "bin_hz": "31.25",
    "window": "sqrt-hann",
    "scale": "1 / hop",
    "local_snr_db": "[-10.0, 30.0]",
}
OPSETS = [helper.make_opsetid("", 18)]


def frames_model(
    metadata: dict[str, str] | None = None, leave_out: tuple[str, ...] = (), gain: float = 1.0
) -> ModelProto:
    """Gains that grow with the mean power of each bin in the past, and of the whole frame in the past.

    ``state_0`` ['streams', bins] is that of the bins, ``state_1`` ['2*streams', 1] that of the frame and its double.
    Real gains are (0.2 + 1000 s) / (1 + 1000 s), turned by the second state; ``leave_out`` removes inputs and outputs.
    """
    scanned = ["next_0", "rows_after", "real", "imaginary", "heads"]
    graph = helper.make_graph(
        [
            helper.make_node("ReduceSumSquare", ["spectra", "last"], ["power"], keepdims=0),
            helper.make_node("Reshape", ["state_1", "pairs"], ["rows"]),
            helper.make_node("Scan", ["state_0", "rows", "power"], scanned, body=_body(gain), num_scan_inputs=1),
            helper.make_node("Reshape", ["rows_after", "column"], ["next_1"]),
            helper.make_node("Unsqueeze", ["real", "last"], ["real_part"]),
            helper.make_node("Unsqueeze", ["imaginary", "last"], ["imaginary_part"]),
            helper.make_node("Concat", ["real_part", "imaginary_part"], ["gains"], axis=-1),
        ],
        "frames",
        [_value("spectra", "frames", "streams", BINS, 2), *_states("state")],
        [_value("gains", "frames", "streams", BINS, 2), _value("heads", "frames", "streams", 2), *_states("next")],
        [_integers("last", -1), _integers("pairs", -1, 2), _integers("column", -1, 1)],
    )
    for name in leave_out:
        _leave_out(graph, name)
    return _model(graph, METADATA if metadata is None else metadata)


def waveform_model(
    shape: tuple[int | str, ...] = ("batch", "samples"), metadata: dict[str, str] | None = None, times: int = 1
) -> ModelProto:
    """A gain of 1 / (1 + mean power of the chunk) on every row; ``times`` repeats the output."""
    graph = helper.make_graph(
        [
            helper.make_node("Mul", ["audio", "audio"], ["square"]),
            helper.make_node("ReduceMean", ["square", "last"], ["power"], keepdims=1),
            helper.make_node("Add", ["power", "one"], ["divisor"]),
            helper.make_node("Div", ["audio", "divisor"], ["quieter"]),
            helper.make_node("Concat", ["quieter"] * times, ["enhanced"], axis=-1),
        ],
        "waveform",
        [_value("audio", *shape)],
        [_value("enhanced", *shape[:-1], "enhanced_samples")],
        [_integers("last", -1), numpy_helper.from_array(np.float32(1.0), "one")],
    )
    return _model(graph, metadata or {"sample_rate": "16000", "chunk_s": "0.05", "overlap": "0.25"})


STREAM_METADATA = {"format": "unmuffle-stream-1", "sample_rate": "16000", "hop": "40", "delay": "40"}


def stream_model(metadata: dict[str, str] | None = None, leave_out: tuple[str, ...] = (), hop: int = 40) -> ModelProto:
    """Late by a hop; each hop divided by 0.5 + its own mean power + that of the hop after it.

    ``state_0`` ['streams', hop] is the last hop, ``state_1`` ['streams', 1] its power.
    """
    shapes = {"0": ("streams", hop), "1": ("streams", 1)}
    graph = helper.make_graph(
        [
            helper.make_node("Reshape", ["audio", "in_hops"], ["hops"]),
            helper.make_node("Mul", ["hops", "hops"], ["square"]),
            helper.make_node("ReduceMean", ["square", "last"], ["power"], keepdims=0),
            helper.make_node("Unsqueeze", ["state_0", "second"], ["older_hop"]),
            helper.make_node("Concat", ["older_hop", "hops"], ["all_hops"], axis=1),
            helper.make_node("Concat", ["state_1", "power"], ["all_powers"], axis=1),
            *(_sliced("all_hops", "before", 0, -1), _sliced("all_powers", "power_before", 0, -1)),
            *(_sliced("all_hops", "newest", -1, 1 << 40), _sliced("all_powers", "next_1", -1, 1 << 40)),
            helper.make_node("Squeeze", ["newest", "second"], ["next_0"]),
            *_chain("Add power power_before both", "Add both least divisor"),
            helper.make_node("Unsqueeze", ["divisor", "last"], ["divisors"]),
            *_chain("Div before divisors quieter", "Reshape quieter in_samples enhanced"),
        ],
        "stream",
        [_value("audio", "streams", "samples"), *(_value(f"state_{n}", *shape) for n, shape in shapes.items())],
        [_value("enhanced", "streams", "samples"), *(_value(f"next_{n}", *shape) for n, shape in shapes.items())],
        [
            *(_integers("in_hops", 0, -1, hop), _integers("in_samples", 0, -1), _integers("last", -1)),
            *(_integers("second", 1), numpy_helper.from_array(np.float32(0.5), "least")),
            *(_integers(name, value) for name, value in {"at_0": 0, "at_-1": -1, f"at_{1 << 40}": 1 << 40}.items()),
        ],
    )
    for name in leave_out:
        _leave_out(graph, name)
    return _model(graph, STREAM_METADATA if metadata is None else metadata)


def save(model: ModelProto, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path


def save_card(model: Path, **entries: Any) -> Path:
    """Write the card of a model beside it; entries replace or add to what it must have."""
    told = {"name": model.stem, "version": "7", "summary": "a small one", "sha256": sha256(model)} | entries
    figures = told.pop("figures", {})
    lines = [f"{key} = {json.dumps(value)}" for key, value in told.items() if value is not None]
    lines += ["[figures]", *(f"{key} = {value}" for key, value in figures.items())] if figures else []
    card = model.with_name(f"{model.stem}.card.toml")
    card.write_text("\n".join(lines), encoding="utf-8")
    return card


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def reference_gains(spectra: np.ndarray) -> np.ndarray:
    """What ``frames_model`` gives for scaled spectra [frames, bins] from the start, in float64."""
    power = np.abs(spectra) ** 2
    slow, frame, gains = np.zeros(power.shape[1]), 0.0, []
    for now in power:
        slow = FORGET * slow + (1 - FORGET) * now
        frame = FORGET * frame + now.mean()
        gain = (0.2 + 1000 * slow) / (1 + 1000 * slow)
        gains.append(gain * (1 + 1j * 0.1 * frame / (1 + frame)))
    return np.array(gains)


def _body(gain: float) -> Any:
    """One frame: power [streams, bins] in, both states on, gains [streams, bins] and heads [streams, 2] out."""
    constants = {"forget": FORGET, "take": 1 - FORGET, "one": 1.0, "least": 0.2, "steep": 1000.0, "tenth": 0.1}
    nodes = [
        *(_constant(name, value) for name, value in (constants | {"factor": gain}).items()),
        helper.make_node("Constant", [], ["columns"], value=_integers("columns", -1)),
        helper.make_node("Constant", [], ["twice"], value=numpy_helper.from_array(np.float32([1.0, 2.0]), "twice")),
        helper.make_node("Constant", [], ["first"], value=_integers("first", 0)),
        *_chain("Mul slow forget kept", "Mul power take taken", "Add kept taken slow_after", "Mul slow_after steep s"),
        *_chain("Add s least above", "Add s one below", "Div above below plain", "Mul plain factor real"),
        helper.make_node("ReduceMean", ["power", "columns"], ["mean"], keepdims=1),
        *_chain("Mul mean twice both", "Mul rows forget faded", "Add faded both rows_after"),
        helper.make_node("Gather", ["rows_after", "first"], ["frame"], axis=1),
        *_chain("Add frame one below2", "Div frame below2 share", "Mul share tenth turn", "Mul real turn imaginary"),
        helper.make_node("Concat", ["frame", "share"], ["heads"], axis=1),
    ]
    return helper.make_graph(
        nodes,
        "frame",
        [_anything("slow"), _anything("rows"), _anything("power")],
        [_anything(name) for name in ("slow_after", "rows_after", "real", "imaginary", "heads")],
    )


def _chain(*lines: str) -> list[Any]:
    return [helper.make_node(kind, inputs, [output]) for kind, *inputs, output in map(str.split, lines)]


def _sliced(name: str, output: str, start: int, end: int) -> Any:
    return helper.make_node("Slice", [name, f"at_{start}", f"at_{end}", "second"], [output])


def _constant(name: str, value: float) -> Any:
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.float32(value), name))


def _states(prefix: str) -> list[Any]:
    return [_value(f"{prefix}_0", "streams", BINS), _value(f"{prefix}_1", "2*streams", 1)]


def _value(name: str, *shape: int | str) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))


def _anything(name: str) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, None)


def _integers(name: str, *values: int) -> Any:
    return numpy_helper.from_array(np.int64(values), name)


def _leave_out(graph: Any, name: str) -> None:
    """Remove an output, or turn an input into zeros of one stream."""
    for entries in (graph.output, graph.input):
        for entry in [entry for entry in entries if entry.name == name]:
            entries.remove(entry)
            if entries is graph.input:
                rows, *columns = entry.type.tensor_type.shape.dim
                shape = (2 if rows.dim_param.startswith("2") else 1, *(size.dim_value for size in columns))
                graph.initializer.append(numpy_helper.from_array(np.zeros(shape, np.float32), name))


def _model(graph: Any, metadata: dict[str, str]) -> ModelProto:
    model = helper.make_model(graph, opset_imports=OPSETS, ir_version=10, producer_name="tests")
    helper.set_model_props(model, metadata)
    checker.check_model(model)
    return model
