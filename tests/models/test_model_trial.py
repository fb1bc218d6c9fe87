"""A model that gives NaN or infinity is named when it is loaded, before it hears a recording."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper, numpy_helper

import unmuffle
from small_models import frames_model, save, save_card
from unmuffle.errors import ModelError, ModelRuntimeError
from unmuffle.models import find_model
from unmuffle.models.session import load_model
from unmuffle.models.trial import tried_frames_graph

RATE = 16_000
AUDIO = 0.1 * np.random.default_rng(0).standard_normal(RATE)


def overflowing_when_loud():
    """Heads that are 1 for silence, and exp(1000 p) for a mean power p."""
    model = frames_model()
    graph = model.graph
    (scan,) = (node for node in graph.node if node.op_type == "Scan")
    scan.output[4] = "plain_heads"
    graph.initializer.append(numpy_helper.from_array(np.float32(1000.0), "thousand"))
    graph.node.append(helper.make_node("Mul", ["plain_heads", "thousand"], ["steep_heads"]))
    graph.node.append(helper.make_node("Exp", ["steep_heads"], ["heads"]))
    return model


def test_a_sound_model_passes(tmp_path):
    assert tried_frames_graph(load_model(find_model(save(frames_model(), tmp_path / "sound.onnx")))).bins == 769


@pytest.mark.parametrize("gain", [float("nan"), float("inf")])
def test_not_finite_for_silence(tmp_path, gain):
    path = save(frames_model(gain=gain), tmp_path / "wild.onnx")
    with pytest.raises(ModelError, match=r"wild\.onnx gives NaN or infinity for silence: train or export it again"):
        unmuffle.enhance(AUDIO, RATE, model=path)


def test_not_finite_for_full_scale(tmp_path):
    path = save(overflowing_when_loud(), tmp_path / "loud.onnx")
    for load in (unmuffle.enhance, unmuffle.speech_activity):
        with pytest.raises(ModelError, match=r"loud\.onnx gives NaN or infinity for full-scale input"):
            load(AUDIO, RATE, model=path)


def test_states_that_are_not_finite_are_found_too(tmp_path):
    model = frames_model()
    graph = model.graph
    (squares,) = (node for node in graph.node if node.op_type == "Reshape" and node.output[0] == "next_1")
    squares.output[0] = "states_before"
    graph.node.append(helper.make_node("Log", ["states_before"], ["next_1"]))
    with pytest.raises(ModelError, match="gives NaN or infinity for silence"):
        unmuffle.open_stream(RATE, model=save(model, tmp_path / "log.onnx"))


def test_a_shipped_one_gives_way_to_a_method(tmp_path, monkeypatch):
    monkeypatch.setattr("unmuffle.models.shelf.FOLDER", tmp_path)
    save_card(save(frames_model(gain=float("nan")), tmp_path / "small.onnx"), default=True)
    with pytest.raises(ModelRuntimeError, match="the model small gives NaN or infinity for silence on this machine"):
        tried_frames_graph(load_model(find_model("small")))
    with pytest.warns(UserWarning, match="on this machine.*; log_mmse is used instead"):
        found = unmuffle.enhance(AUDIO, RATE)
    np.testing.assert_array_equal(found, unmuffle.enhance(AUDIO, RATE, method="log_mmse"))
