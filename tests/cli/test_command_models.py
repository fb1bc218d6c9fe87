"""``unmuffle models``, ``--model`` of ``enhance``, and what ``doctor`` and ``methods`` tell of models."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
from command_line import command

import unmuffle
from small_models import frames_model, save, save_card, sha256, waveform_model
from unmuffle.cli import doctor


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setattr("unmuffle.models.shelf.FOLDER", folder)
    return folder


@pytest.fixture
def small(shelf):
    path = save(frames_model(), shelf / "small.onnx")
    save_card(path, default=True, licence="CC0", training_data=["one", "two"], figures={"pesq": 2.5})
    return path


@pytest.fixture
def noisy(tmp_path, noisy_speech, write_file):
    return write_file(tmp_path / "noisy.wav", noisy_speech(16_000, 0.5), 16_000)


def test_no_models(shelf):
    said = command("models")
    assert (said.code, said.out) == (0, "no model comes with this version: auto is the classical method om_lsa\n")
    assert json.loads(command("models", "--json").out) == []


def test_models_are_listed_one_a_line(small):
    said = command("models")
    assert (said.code, said.out) == (0, "small 7  a small one (auto)\n")


def test_one_model_in_full(small):
    said = command("models", "small")
    assert said.code == 0
    for line in ("name: small", "licence: CC0", "training_data: one; two", f"sha256: {sha256(small)}", "  pesq: 2.5"):
        assert f"{line}\n" in said.out
    assert "  format: unmuffle-frames-1\n" in said.out
    told = json.loads(command("models", "small", "--json").out)
    assert (told["version"], told["default"], told["fault"], told["kind"]) == ("7", True, None, "SpectralProcessor")
    assert told["figures"] == {"pesq": 2.5}


def test_a_file_of_ones_own(shelf, tmp_path):
    path = save(waveform_model(), tmp_path / "own.onnx")
    told = json.loads(command("models", path, "--json").out)
    assert (told["name"], told["kind"], told["sha256"]) == ("own", "WaveformNetwork", sha256(path))
    assert told["latency_ms"] == pytest.approx(50, abs=0.1)


def test_a_damaged_model_is_told_and_fails(small):
    small.write_bytes(b"scratched")
    for arguments in ((), ("small",)):
        said = command("models", *arguments)
        assert said.code == 1
        assert "is damaged or not the one its card describes" in said.out


def test_a_name_that_is_none(small):
    said = command("models", "smal")
    assert said.code == 1
    assert "there is no model 'smal' (did you mean small?)" in said.error


@pytest.mark.parametrize("by_path", [False, True])
def test_enhance_by_a_model(small, noisy, tmp_path, by_path):
    said = command("enhance", noisy, "-o", tmp_path / "clear.wav", "--model", small if by_path else "small", "-q")
    assert said.code == 0
    audio, _ = soundfile.read(noisy, dtype="float32")
    found, _ = soundfile.read(tmp_path / "clear.wav", dtype="float32")
    np.testing.assert_allclose(found, unmuffle.enhance(audio, 16_000, model="small"), atol=1e-4)


def test_enhance_refuses_what_is_no_model(shelf, noisy, tmp_path):
    assert "does not exist" in command("enhance", noisy, "-o", tmp_path / "x.wav", "--model", "gone.onnx").error
    (tmp_path / "bad.onnx").write_bytes(b"bad")
    said = command("enhance", noisy, "-o", tmp_path / "x.wav", "--model", tmp_path / "bad.onnx")
    assert said.code == 1
    assert "not an ONNX file" in said.err
    assert not (tmp_path / "x.wav").exists()


def test_enhance_warns_of_what_stands_in(small, noisy, tmp_path):
    small.write_bytes(b"scratched")
    said = command("enhance", noisy, "-o", tmp_path / "x.wav")
    assert said.code == 0
    assert "log_mmse is used instead" in said.err


def test_the_doctor_tells_models(small, monkeypatch):
    monkeypatch.setattr(doctor, "TRIAL_S", 0.2)
    told = json.loads(command("doctor", "--json").out)
    assert [(model["name"], model["fault"]) for model in told["models"]] == [("small", None)]
    assert told["auto"] == "small"
    assert told["real_time_factor"]["small"] > 0
    assert "  small 7: runs, and is what auto means\n" in command("doctor").out
    small.write_bytes(b"scratched")
    said = command("doctor")
    assert said.code == 1
    assert "  small 7: the model" in said.out


def test_methods_name_the_model_that_auto_is(small):
    assert command("methods").out.splitlines()[0].endswith("now small")
