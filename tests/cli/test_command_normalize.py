"""``unmuffle normalize`` and ``unmuffle enhance --loudness``."""

from __future__ import annotations

import numpy as np
import pyloudnorm
import pytest
import soundfile
from command_line import command

RATE = 16_000


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def talk(folder, noisy_speech, write_file):
    return write_file(folder / "talk.wav", 0.2 * noisy_speech(RATE, seconds=3.0), RATE, "PCM_16")


def lufs(path):
    audio, rate = soundfile.read(path)
    return pyloudnorm.Meter(rate).integrated_loudness(audio)


@pytest.mark.parametrize(
    ("options", "wanted"), [((), -16.0), (("--loudness", "-20.5"), -20.5), (("--loudness", "atsc"), -24.0)]
)
def test_normalize_says_what_it_did(talk, options, wanted):
    said = command("normalize", "talk.wav", "-o", "out.wav", *options)
    assert said.code == 0
    assert said.out == ""
    assert lufs("out.wav") == pytest.approx(wanted, abs=0.3)
    assert said.err.startswith(f"out.wav: {wanted:.1f} LUFS, ")
    was = float(said.err.split("(was ")[1].split(" LUFS")[0])
    assert was == pytest.approx(lufs("talk.wav"), abs=0.15)


def test_enhance_lands_at_a_loudness(talk):
    assert command("enhance", "talk.wav", "-o", "out.wav", "--loudness", "podcast", "--true-peak", "-3").code == 0
    assert lufs("out.wav") == pytest.approx(-16.0, abs=0.3)
    assert np.abs(soundfile.read("out.wav")[0]).max() <= 10.0 ** (-2.95 / 20.0)


def test_a_ceiling_in_the_way_is_a_warning(talk):
    said = command("normalize", "talk.wav", "-o", "out.wav", "--loudness", "-6", "--true-peak", "-12")
    assert said.code == 0
    assert "warning: out.wav: -6 LUFS cannot be reached" in said.err
    assert "LU below" in said.err


def test_quiet_says_nothing(talk):
    assert command("normalize", "talk.wav", "-o", "out.wav", "--loudness", "-6", "-q").err == ""


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("normalize", "none.wav", "-o", "out.wav"), "none.wav"),
        (("normalize", "talk.wav", "-o", "out.wav", "--loudness", "loud"), "podcast, broadcast, atsc, streaming"),
        (("enhance", "talk.wav", "--true-peak", "-1"), "give a loudness as well"),
        (("normalize", "talk.wav", "-o", "talk.wav", "--overwrite"), "the source itself"),
    ],
)
def test_wrong_uses_end_with_one_line(talk, arguments, match):
    said = command(*arguments)
    assert said.code == 1
    assert match in said.error
