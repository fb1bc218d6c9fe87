"""Share of speech and SNR from what a network tells of each frame."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import unmuffle
from small_models import frames_model, save, save_card
from unmuffle.cli.app import app
from unmuffle.errors import ModelError
from unmuffle.measure import RecordingAnalyzer, SpeechMeter, describe_recording, estimate_snr

RATE = 16_000


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save(frames_model(), tmp_path_factory.mktemp("model") / "small.onnx")


@pytest.fixture
def half_silent(noisy_speech):
    """Two channels, the first half digital silence; so loud that the heads of the small model move over their range."""
    audio = np.zeros((2, 2 * RATE))
    audio[:, RATE:] = 30 * noisy_speech(RATE, 1.0, 2)
    return audio.astype(np.float32)


def snr_by_the_books(audio, activity):
    """Active speech over noise, frame by frame, from the SNR told of each."""
    window = np.sin(np.pi * (np.arange(512) + 0.5) / 512)
    speech, noise, frames = [], 0.0, audio.shape[1] // 256
    padded = np.pad(audio.astype(np.float64), ((0, 0), (256, 0)))
    for frame in range(frames):
        power = (np.abs(np.fft.rfft(window * padded[:, 256 * frame : 256 * frame + 512]))[:, :256] ** 2).sum(1)
        ratio = 10 ** (activity.local_snr_db[:, frame].astype(np.float64) / 10)
        if (activity.presence[:, frame] > 0.5).any():
            speech.append((power * ratio / (1 + ratio)).sum())
        noise += (power / (1 + ratio)).sum() / frames
    return 10 * np.log10(np.mean(speech) / noise)


def test_share_and_snr_are_those_of_the_frames(model, half_silent):
    report = describe_recording(half_silent, RATE, model=model)
    assert report.speech.share == pytest.approx(0.5, abs=0.02)
    activity = unmuffle.speech_activity(half_silent, RATE, model=model)
    assert report.snr.db == pytest.approx(snr_by_the_books(half_silent, activity), abs=0.01)


def test_block_invariance(model, half_silent):
    whole = describe_recording(half_silent, RATE, model=model)
    analyzer = RecordingAnalyzer(RATE, 2, model=model)
    for start in range(0, 2 * RATE, 777):
        analyzer.process(half_silent[:, start : start + 777])
    assert analyzer.report().speech == whole.speech
    assert analyzer.report().snr.db == pytest.approx(whole.snr.db, abs=1e-4)


def test_silence_and_next_to_nothing_have_no_snr(model):
    assert describe_recording(np.zeros(RATE), RATE, model=model).snr.db is None
    assert describe_recording(np.zeros(RATE), RATE, model=model).speech.share == 0.0
    meter = SpeechMeter(RATE, model=model)
    assert (meter.share, meter.snr.db) == (None, None)
    meter.process(0.1 * np.ones((1, 19 * 256), np.float32))
    assert meter.snr.db is None


def test_without_a_network_all_is_as_it_was(half_silent):
    report = describe_recording(half_silent, RATE)
    assert report.speech is None
    assert report.snr == estimate_snr(half_silent, RATE)
    assert not any(line.startswith("speech:") for line in report.lines())


def test_info_asks_the_default_model(tmp_path, monkeypatch, half_silent, write_file, model):
    path = write_file(tmp_path / "talk.wav", half_silent, RATE, "FLOAT")
    monkeypatch.setattr("unmuffle.models.shelf.FOLDER", tmp_path)

    def said(*arguments):
        done = CliRunner().invoke(app, ["info", str(path), *arguments])
        assert done.exit_code == 0
        return done.stdout

    without = json.loads(said("--json"))
    assert without["speech"] is None
    save_card(save(frames_model(), tmp_path / "small.onnx"), default=True)
    wanted = describe_recording(half_silent, RATE, model=model)
    told = json.loads(said("--json"))
    assert told["speech"] == {"share": wanted.speech.share}
    assert told["snr"]["db"] == pytest.approx(wanted.snr.db)
    lines = said().splitlines()
    assert "speech: 50 % of the time" in lines
    assert f"speech over noise: about {wanted.snr.db:.0f} dB (estimated by the network)" in lines
    (tmp_path / "small.onnx").write_bytes(b"scratched")
    told = json.loads(said("--json"))
    assert told["snr"] == without["snr"]
    assert "the SNR is estimated without it" in told["warnings"][0]


def test_a_model_that_cannot_be_loaded_is_named(tmp_path):
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"broken\.onnx is damaged"):
        RecordingAnalyzer(RATE, model=tmp_path / "broken.onnx")
