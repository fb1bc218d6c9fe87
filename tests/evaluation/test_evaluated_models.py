"""Models among the enhancers that are compared."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import unmuffle
from small_models import frames_model, save, save_card
from unmuffle.errors import InvalidParameterError, ModelError
from unmuffle.measure.evaluation.enhancers.registry import find_enhancer, find_enhancers


@pytest.fixture
def path(tmp_path):
    return save(frames_model(), tmp_path / "own.onnx")


@pytest.mark.parametrize(("prefix", "name"), [("", "own"), ("mine=", "mine")])
def test_a_model_by_its_path(path, noisy_speech, prefix, name):
    enhancer = find_enhancer(f"{prefix}model:{path}")
    assert (enhancer.name, enhancer.version) == (name, "own.onnx")
    assert enhancer.latency_ms(16_000) == pytest.approx(32, abs=0.1)
    audio = noisy_speech(16_000, 0.5).astype(np.float32)
    wanted = unmuffle.enhance(audio, 16_000, model=path)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(enhancer)).enhance(audio, 16_000), wanted)


def test_a_model_by_its_name(path, monkeypatch):
    monkeypatch.setattr("unmuffle.models.shelf.FOLDER", path.parent)
    save_card(path, version="3")
    enhancer = find_enhancer("model:own")
    assert (enhancer.name, enhancer.version) == ("own", "own 3")


def test_two_versions_are_told_apart_by_their_names(path):
    found = find_enhancers([f"model:{path}", f"new=model:{path}", "wiener"])
    assert [enhancer.name for enhancer in found] == ["own", "new", "wiener"]


def test_models_that_are_not_there():
    with pytest.raises(ModelError, match="does not exist"):
        find_enhancer("model:gone.onnx")
    with pytest.raises(InvalidParameterError, match="no model 'gone'"):
        find_enhancer("model:gone")
