"""``unmuffle beamform``, ``locate`` and ``array``."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
from command_line import command

RATE = 16_000
SPACING_M = 0.05


@pytest.fixture
def folder(tmp_path, noisy_speech, monkeypatch):
    """A voice from straight ahead of four microphones, and noise along their line, late by whole samples at 6.86 cm."""
    monkeypatch.chdir(tmp_path)
    speech = noisy_speech(RATE, 3.0)[0]
    rng = np.random.default_rng(0)
    other = 0.05 * rng.standard_normal(speech.size + 16)
    steps = [round(place * SPACING_M / 343.2 * RATE) for place in range(4)]
    rows = [speech + other[16 - step : 16 - step + speech.size] for step in steps]
    audio = np.stack(rows) + 0.001 * rng.standard_normal((4, speech.size))
    soundfile.write(tmp_path / "rec.wav", audio.T, RATE, "FLOAT")
    soundfile.write(tmp_path / "mono.wav", audio[0], RATE, "FLOAT")
    return tmp_path


def test_a_beam_is_written(folder):
    said = command("beamform", "rec.wav", "-o", "out.wav")
    assert said.code == 0
    assert said.err.startswith("out.wav: mask-mvdr, the voice as at microphone ")
    audio, rate = soundfile.read(folder / "out.wav", always_2d=True)
    assert (audio.shape, rate) == ((3 * RATE, 1), RATE)


def test_a_direction_and_its_warning_are_told(folder):
    said = command("beamform", "rec.wav", "-g", "linear4", "--method", "das", "--toward", "90", "-o", "out.flac")
    assert said.code == 0
    assert "warning: spatial aliasing above 3432 Hz" in said.err
    assert said.err.splitlines()[-1] == "out.flac: das, toward 90.0 degrees"


def test_a_file_and_an_array_give_the_same(folder):
    from unmuffle.array import beamform

    command("beamform", "rec.wav", "-o", "out.wav", "--denoise", "-q")
    audio, _ = soundfile.read(folder / "rec.wav", dtype="float32")
    expected, _ = beamform(audio.T, RATE, denoise=True)
    np.testing.assert_allclose(soundfile.read(folder / "out.wav")[0], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["beamform", "mono.wav", "-o", "o.wav"], "unmuffle enhance"),
        (["beamform", "rec.wav", "-o", "o.wav", "--method", "das"], "give a geometry"),
        (["beamform", "rec.wav", "-g", "respeaker6", "-o", "o.wav"], "6 microphones and the recording 4 channels"),
        (["beamform", "rec.wav", "-g", "linear4", "--toward", "999", "-o", "o.wav"], "-180 to 360"),
        (["beamform", "-", "-o", "o.wav"], "read more than once"),
        (["beamform", "none.wav", "-o", "o.wav"], "none.wav"),
        (["beamform", "rec.wav", "-o", "o.wav", "--noise-profile", "mono.wav"], "must be a span"),
        (["locate", "rec.wav", "-g", "circle8"], "8 microphones"),
        (["locate", "rec.wav", "-g", "ears"], "choose among circle8"),
        (["locate", "rec.wav", "-g", "linear4", "--plot", "x.bmp"], "not a name for a figure"),
        (["array", "pattern", "-g", "linear4", "--method", "gev"], "needs a direction"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(folder, arguments, said):
    answer = command(*arguments)
    assert answer.code == 1
    assert said in answer.error
    assert not (folder / "o.wav").exists()


def test_an_output_is_not_overwritten_unasked(folder):
    (folder / "out.wav").write_bytes(b"mine")
    assert "out.wav" in command("beamform", "rec.wav", "-o", "out.wav").error
    assert (folder / "out.wav").read_bytes() == b"mine"


def test_the_voice_is_located(folder):
    (told,) = json.loads(command("locate", "rec.wav", "-g", "linear4", "--json").out)
    assert abs(told["azimuth_deg"] - 90.0) < 4.0
    assert "degrees" in command("locate", "rec.wav", "-g", "linear4", "--any-sound").out


def test_directions_over_time_are_drawn(folder):
    said = command("locate", "rec.wav", "-g", "linear4", "--every", "0.5", "--plot", "angles.svg")
    assert said.code == 0
    assert len(said.out.splitlines()) == 6
    assert "Azimuth in degrees" in (folder / "angles.svg").read_text()


def test_a_pattern_is_told_and_drawn(folder):
    said = command("array", "pattern", "-g", "circle8", "--toward", "30", "-o", "beam.svg")
    assert said.code == 0
    rows = said.out.splitlines()
    assert rows[0].split()[0] == "Hz"
    assert all(row.split()[-2] == "9.0" for row in rows[1:])
    assert "White-noise gain" in (folder / "beam.svg").read_text()


def test_arrays_are_listed():
    said = command("array", "list")
    assert said.code == 0
    assert [line.split()[0] for line in said.out.splitlines()] == [
        "circle8",
        "laptop2",
        "linear4",
        "respeaker4",
        "respeaker6",
    ]
