"""``unmuffle diagnose``, and ``unmuffle enhance --preset auto``, which does what it suggests."""

from __future__ import annotations

import json
import shlex

import numpy as np
import pytest
import soundfile
from command_line import command

from unmuffle import Enhancer

RATE = 16_000


@pytest.fixture
def humming(tmp_path, noisy_speech, write_file):
    hum = 0.03 * np.sin(2.0 * np.pi * 50.0 * np.arange(8 * RATE) / RATE)
    return write_file(tmp_path / "in" / "a humming.wav", noisy_speech(RATE, seconds=8.0) + hum, RATE)


@pytest.fixture
def silent(tmp_path, write_file):
    return write_file(tmp_path / "in" / "silent.wav", np.zeros((1, RATE)), RATE)


def test_the_suggested_command_can_be_copied(humming, tmp_path):
    said = command("diagnose", humming)
    assert said.code == 0
    *findings, blank, suggestion = said.out.splitlines()
    assert blank == ""
    assert any(line.startswith(("!! hum:", "!  hum:")) and "-> dehum:mains_hz=50.0" in line for line in findings)
    program, *words = shlex.split(suggestion)
    assert program == "unmuffle"
    assert command(*words, "-o", tmp_path / "out.wav").code == 0
    assert (tmp_path / "out.wav").exists()


def test_json_is_the_same_for_programs(humming):
    told = json.loads(command("diagnose", humming, "--json").out)
    assert "hum" in {finding["key"] for finding in told["findings"]}
    assert "dehum:mains_hz=50.0:" in told["chain"]


def test_nothing_is_suggested_where_nothing_needs_doing(silent):
    said = command("diagnose", silent)
    assert said.code == 0
    assert said.out.startswith("   silent: ")
    assert "unmuffle enhance" not in said.out


@pytest.mark.parametrize("jobs", [1, 2])
def test_auto_gives_each_file_its_own_chain(humming, silent, tmp_path, jobs):
    said = command("enhance", humming.parent, "-o", tmp_path / "out", "--preset", "auto", "--jobs", jobs)
    assert said.code == 0
    assert f"{silent}: nothing done" in said.err
    chain = json.loads(command("diagnose", humming, "--json").out)["chain"]
    assert f"{humming}: {chain}" in said.err
    Enhancer(chain=chain).enhance_file(humming, tmp_path / "wanted.wav")
    assert (tmp_path / "out" / humming.name).read_bytes() == (tmp_path / "wanted.wav").read_bytes()


def test_auto_returns_what_needs_nothing_bit_for_bit(tmp_path, write_file):
    # The softest and the loudest samples there are would show any gain.
    audio = np.zeros((1, RATE))
    audio[0, 100:103] = 1.0 / 32768, -1.0, 32767 / 32768
    source = write_file(tmp_path / "impulse.wav", audio, RATE)
    said = command("enhance", source, "-o", tmp_path / "out.wav", "--preset", "auto", "--strength", "0.5")
    assert said.code == 0
    assert "nothing done" in said.err
    given, kept = (soundfile.read(path, dtype="int16")[0] for path in (source, tmp_path / "out.wav"))
    np.testing.assert_array_equal(given, kept)


def test_auto_excludes_a_chain_and_a_pipe(humming):
    assert "give one" in command("enhance", humming, "--preset", "auto", "--chain", "denoise").error
    said = command("enhance", "-", "-o", "-", "--preset", "auto")
    assert said.code == 1
    assert "cannot be read twice" in said.err
