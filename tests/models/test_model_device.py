"""Models run on the CPU unless a GPU is asked for, and a GPU that is not there is told before any work is begun."""

from __future__ import annotations

import onnxruntime
import pytest

from small_models import frames_model, save
from unmuffle.corpus import RunOptions, run
from unmuffle.errors import InvalidParameterError, ModelRuntimeError
from unmuffle.models import device, find_model
from unmuffle.models.device import run_models_on
from unmuffle.models.session import load_model

BUILD_FOR_GPU = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]


@pytest.fixture(autouse=True)
def back_to_the_cpu():
    yield
    run_models_on("cpu")


@pytest.fixture
def asked(monkeypatch):
    """The providers that sessions are made with; they run on the CPU here, whatever they are."""
    found = []
    real = onnxruntime.InferenceSession

    def session(path, options, providers):
        found.append(providers)
        return real(path, options, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    return found


@pytest.mark.parametrize(
    ("chosen", "there", "wanted"),
    [
        ("cpu", BUILD_FOR_GPU, ["CPUExecutionProvider"]),
        ("auto", BUILD_FOR_GPU, ["CUDAExecutionProvider", "CPUExecutionProvider"]),
        ("gpu", BUILD_FOR_GPU, ["CUDAExecutionProvider", "CPUExecutionProvider"]),
        ("auto", ["AzureExecutionProvider", "CPUExecutionProvider"], ["CPUExecutionProvider"]),
    ],
)
def test_a_gpu_is_used_where_there_is_one_and_it_may_be(tmp_path, monkeypatch, asked, chosen, there, wanted):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: there)
    run_models_on(chosen)
    load_model(find_model(save(frames_model(), tmp_path / "small.onnx")))
    assert asked == [wanted]


def test_a_model_is_loaded_anew_for_another_device(tmp_path, monkeypatch, asked):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: BUILD_FOR_GPU)
    model = find_model(save(frames_model(), tmp_path / "small.onnx"))
    for chosen in ("cpu", "gpu", "cpu", "gpu"):
        run_models_on(chosen)
        load_model(model)
    assert len(asked) == 2


def test_a_gpu_that_is_not_there_is_told_before_a_run_is_begun(tmp_path, monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(ModelRuntimeError, match="no provider for a GPU, only CPUExecutionProvider: install"):
        run(tmp_path, tmp_path / "out", options=RunOptions(device="gpu"))
    assert not (tmp_path / "out").exists()


def test_other_devices_are_told(tmp_path):
    with pytest.raises(InvalidParameterError, match="device is 'tpu'; it must be one of auto, cpu, gpu"):
        run(tmp_path, tmp_path / "out", options=RunOptions(device="tpu"))
    assert device.check_device("auto") == "auto"
