"""``unmuffle score`` measures files against a reference, in step, and names what it cannot measure."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from unmuffle.cli.app import app
from unmuffle.measure import REFERENCE_MEASURES, si_sdr_db

RATE = 16_000


def command(*arguments: object):
    return CliRunner().invoke(app, ["score", *map(str, arguments)])


@pytest.fixture
def pair(tmp_path: Path, noisy_speech) -> tuple[Path, Path]:
    clean = noisy_speech(RATE, seconds=3.0).astype(np.float32)[0]
    noise = 0.05 * np.random.default_rng(1).standard_normal(clean.size).astype(np.float32)
    for name, audio in (("clean.wav", clean), ("noisy.wav", clean + noise)):
        soundfile.write(tmp_path / name, audio, RATE, "FLOAT")
    return tmp_path / "clean.wav", tmp_path / "noisy.wav"


def test_every_measure_has_its_line(pair):
    done = command(*pair)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert len(lines) == 2 + len(REFERENCE_MEASURES)
    for measure, line in zip(REFERENCE_MEASURES, lines[2:], strict=True):
        assert line.startswith(measure.name)


def test_json_holds_the_measures_values(pair):
    data = json.loads(command(*pair, "--json").stdout)[str(pair[1])]
    clean, noisy = (soundfile.read(path, dtype="float32")[0] for path in pair)
    assert data["scores"]["si_sdr_db"] == pytest.approx(si_sdr_db(clean, noisy, RATE), abs=0.01)
    assert data["delay_samples"] == pytest.approx(0.0, abs=0.05)
    assert data["scores"].keys() == {measure.key for measure in REFERENCE_MEASURES}


def test_a_delayed_file_is_brought_in_step(pair, tmp_path):
    noisy = soundfile.read(pair[1], dtype="float32")[0]
    late = np.concatenate((np.zeros(400, np.float32), noisy))
    soundfile.write(tmp_path / "late.wav", late, RATE, "FLOAT")
    data = json.loads(command(*pair, tmp_path / "late.wav", "--json").stdout)
    in_step, delayed = data[str(pair[1])], data[str(tmp_path / "late.wav")]
    assert delayed["delay_samples"] == pytest.approx(400, abs=0.5)
    assert delayed["scores"]["si_sdr_db"] == pytest.approx(in_step["scores"]["si_sdr_db"], abs=0.5)


def test_a_file_that_cannot_be_compared_is_named_and_the_others_go_on(pair, tmp_path):
    soundfile.write(tmp_path / "other.wav", np.zeros(8_000) + 0.1, 8_000)
    done = command(pair[0], tmp_path / "nowhere.wav", tmp_path / "other.wav", pair[1])
    assert done.exit_code == 1
    assert "nowhere.wav does not exist" in done.stderr
    assert "other.wav has 8000 Hz and the reference 16000 Hz" in done.stderr
    assert "SI-SDR" in done.stdout


def test_what_is_too_short_for_a_measure_is_told(tmp_path):
    clean = np.random.default_rng(0).standard_normal(1_600) * 0.1
    soundfile.write(tmp_path / "short.wav", clean, RATE)
    done = command(tmp_path / "short.wav", tmp_path / "short.wav")
    assert done.exit_code == 0
    assert "PESQ needs at least" in done.stderr
    assert "SI-SDR" in done.stdout
