"""Files that cannot be run are refused with what is wrong with them."""

from __future__ import annotations

import sys

import onnxruntime
import pytest

import unmuffle
from small_models import METADATA, frames_model, save, save_card, waveform_model
from unmuffle.denoise.networks import network_processor
from unmuffle.errors import InvalidParameterError, ModelError, ModelRuntimeError
from unmuffle.models import find_model


def refusal(path, error=ModelError):
    with pytest.raises(error) as caught:
        network_processor(find_model(path), 16_000)
    message = str(caught.value)
    assert "\n" not in message
    assert path.stem in message
    return message


@pytest.mark.parametrize("content", [b"", b"RIFF....WAVE", b"\x00" * 500])
def test_what_is_no_onnx(tmp_path, content):
    path = tmp_path / "x.onnx"
    path.write_bytes(content)
    assert "damaged, not an ONNX file, or beyond ONNX Runtime" in refusal(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.97])
def test_a_truncated_file(tmp_path, share):
    path = save(frames_model(), tmp_path / "x.onnx")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert "x.onnx" in refusal(path)


def test_a_file_that_is_not_the_one_of_its_card(tmp_path):
    path = save(frames_model(), tmp_path / "x.onnx")
    save_card(path)
    network_processor(find_model(path), 16_000)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    message = refusal(path)
    assert "damaged or not the one its card describes: its SHA-256 is" in message


def test_a_card_without_its_model(tmp_path, monkeypatch):
    monkeypatch.setattr("unmuffle.models.shelf.FOLDER", tmp_path)
    path = save(frames_model(), tmp_path / "x.onnx")
    save_card(path)
    path.unlink()
    with pytest.raises(ModelError, match=r"x\.onnx cannot be read: No such file"):
        network_processor(find_model("x"), 16_000)


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        (("state_0",), "has no input state_0: it cannot keep its state"),
        (("state_0", "state_1"), "has no input state_0, state_1"),
        (("next_1",), "has no output next_1"),
        (("heads",), "has no output heads"),
    ],
)
def test_states_and_outputs_that_are_missing(tmp_path, left_out, said):
    assert said in refusal(save(frames_model(leave_out=left_out), tmp_path / "x.onnx"))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"format": "unmuffle-frames-2"}, "has the format unmuffle-frames-2; this version runs unmuffle-frames-1"),
        ({"format": None}, "does not tell its format"),
        ({"hop_ms": "10"}, "was made for hop_ms = 10; the grid here has 16"),
        ({"window": "hamming"}, "was made for window = hamming"),
        ({"local_snr_db": "[1]"}, "must be two numbers"),
    ],
)
def test_metadata_of_another_grid_or_version(tmp_path, changed, said):
    metadata = {key: value for key, value in (METADATA | changed).items() if value is not None}
    assert said in refusal(save(frames_model(metadata), tmp_path / "x.onnx"))


def test_a_state_of_a_shape_that_cannot_be_told_apart_by_streams(tmp_path):
    model = frames_model()
    model.graph.input[1].type.tensor_type.shape.dim[0].dim_param = "rows"
    assert "must both be [streams, ...]" in refusal(save(model, tmp_path / "x.onnx"))


@pytest.mark.parametrize("shape", [(4, "samples"), ("batch", 80, "time"), ("batch", 1, 2, "samples")])
def test_inputs_that_are_no_waveform(tmp_path, shape):
    assert "it must take one float32 waveform" in refusal(save(waveform_model(shape), tmp_path / "x.onnx"))


def test_a_number_in_the_metadata_that_is_none(tmp_path):
    path = save(waveform_model(metadata={"sample_rate": "high"}), tmp_path / "x.onnx")
    assert "sample_rate is 'high' in its metadata" in refusal(path)


def test_the_runtime_that_is_missing(tmp_path, monkeypatch):
    path = save(frames_model(), tmp_path / "x.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert "needs ONNX Runtime, which cannot be loaded" in refusal(path, ModelRuntimeError)


def test_the_runtime_that_cannot_load_a_whole_file(tmp_path, monkeypatch):
    path = save(frames_model(), tmp_path / "x.onnx")
    save_card(path)

    def fail(*_, **__):
        raise RuntimeError("no kernel\nfor this")

    monkeypatch.setattr(onnxruntime, "InferenceSession", fail)
    assert "cannot load the model x: no kernel for this" in refusal(path, ModelRuntimeError)


def test_the_front_door_refuses_the_same(tmp_path):
    path = tmp_path / "x.onnx"
    path.write_bytes(b"no")
    with pytest.raises(ModelError, match="not an ONNX file"):
        unmuffle.enhance([0.1] * 800, 8_000, model=path)
    with pytest.raises(ModelError, match="does not exist"):
        unmuffle.Enhancer(model=tmp_path / "y.onnx")
    with pytest.raises(InvalidParameterError, match="give one"):
        unmuffle.Enhancer("wiener", model=path)
    with pytest.raises(InvalidParameterError, match="takes no noise profile"):
        unmuffle.enhance([0.1] * 8_000, 8_000, model=path, noise_profile=(0.0, 0.5))
