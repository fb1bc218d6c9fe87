"""``auto`` is the model whose card says so, and a classical method where it cannot run."""

from __future__ import annotations

import warnings

import numpy as np
import onnxruntime
import pytest

import unmuffle
from small_models import frames_model, save, save_card
from unmuffle.denoise.choice import FALLBACK, chosen_name
from unmuffle.errors import ModelError

RATE = 16_000


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    folder = tmp_path / "shelf"
    monkeypatch.setattr("unmuffle.models.shelf.FOLDER", folder)
    save_card(save(frames_model(), folder / "small.onnx"), default=True)
    return folder


@pytest.fixture
def audio(noisy_speech):
    return noisy_speech(RATE, 1.0).astype(np.float32)


def no_runtime(monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("illegal instruction")

    monkeypatch.setattr(onnxruntime, "InferenceSession", fail)


def test_without_models_auto_is_classical(tmp_path, monkeypatch, audio):
    monkeypatch.setattr("unmuffle.models.shelf.FOLDER", tmp_path)
    np.testing.assert_array_equal(unmuffle.enhance(audio, RATE), unmuffle.enhance(audio, RATE, method="om_lsa"))
    assert chosen_name() == "om_lsa"


def test_a_default_model_is_auto(shelf, audio):
    by_name = unmuffle.enhance(audio, RATE, model="small")
    np.testing.assert_array_equal(unmuffle.enhance(audio, RATE), by_name)
    assert np.abs(by_name - unmuffle.enhance(audio, RATE, method="om_lsa")).max() > 1e-3
    assert chosen_name() == "small"


def test_a_model_that_is_not_the_default_changes_nothing(shelf, audio):
    save_card(shelf / "small.onnx", default=False)
    np.testing.assert_array_equal(unmuffle.enhance(audio, RATE), unmuffle.enhance(audio, RATE, method="om_lsa"))


def test_a_noise_profile_asks_for_a_classical_method(shelf, audio):
    noise = 0.02 * np.random.default_rng(0).standard_normal(RATE)
    found = unmuffle.enhance(audio, RATE, noise_profile=noise)
    np.testing.assert_array_equal(found, unmuffle.enhance(audio, RATE, method="om_lsa", noise_profile=noise))


@pytest.mark.parametrize("settings", [{}, {"model": "small"}])
def test_log_mmse_stands_in_where_the_runtime_fails(shelf, audio, monkeypatch, settings):
    no_runtime(monkeypatch)
    wanted = unmuffle.enhance(audio, RATE, method=FALLBACK)
    said = "cannot load the model small: illegal instruction; log_mmse is used instead"
    with pytest.warns(UserWarning, match=said) as caught:
        found = unmuffle.enhance(audio, RATE, **settings)
    np.testing.assert_array_equal(found, wanted)
    assert len(caught) == 1
    with pytest.warns(UserWarning, match=said):
        stream = unmuffle.open_stream(RATE, **settings)
    np.testing.assert_array_equal(np.concatenate((stream.process(audio), stream.flush()), axis=1), wanted)


def test_auto_survives_a_damaged_model_but_its_name_does_not(shelf, audio):
    (shelf / "small.onnx").write_bytes(b"scratched")
    with pytest.warns(UserWarning, match="its SHA-256 is .*; log_mmse is used instead"):
        unmuffle.enhance(audio, RATE)
    with pytest.raises(ModelError, match="its SHA-256 is"):
        unmuffle.enhance(audio, RATE, model="small")


def test_auto_survives_a_card_that_cannot_be_read(shelf, audio):
    (shelf / "small.card.toml").write_text("?")
    assert chosen_name() == FALLBACK
    with pytest.warns(UserWarning, match="cannot be read.*; log_mmse is used instead"):
        unmuffle.enhance(audio, RATE)


def test_a_file_tells_it_in_its_report(shelf, audio, monkeypatch, tmp_path, write_file):
    no_runtime(monkeypatch)
    source = write_file(tmp_path / "noisy.wav", audio, RATE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = unmuffle.Enhancer().enhance_file(source, tmp_path / "clear.wav")
    assert len(report.warnings) == 1
    assert "log_mmse is used instead" in report.warnings[0]


def test_streaming_equals_the_whole(shelf, noisy_speech):
    audio = noisy_speech(48_000, 1.0, 2).astype(np.float32)
    whole = unmuffle.enhance(audio, 48_000, model="small", link_channels=False)
    stream = unmuffle.open_stream(48_000, 2, model="small", link_channels=False)
    pieces = [stream.process(audio[:, at : at + 480]) for at in range(0, 48_000, 480)]
    np.testing.assert_allclose(np.concatenate([*pieces, stream.flush()], axis=1), whole, atol=1e-5)


def test_settings_with_a_model_go_to_other_processes(shelf):
    import pickle

    assert pickle.loads(pickle.dumps(unmuffle.Enhancer(model="small"))) == unmuffle.Enhancer(model="small")
