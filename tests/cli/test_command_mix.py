"""``unmuffle mix`` writes sets that ``unmuffle evaluate`` reads, and says in one line what it cannot use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command_line import command

from unmuffle.measure.evaluation.pairs import find_pairs

RATE = 8_000


@pytest.fixture
def sources(tmp_path: Path, noisy_speech, write_file) -> tuple[Path, Path]:
    write_file(tmp_path / "speech" / "ann" / "a.wav", noisy_speech(RATE, 2.0), RATE)
    write_file(tmp_path / "noise" / "hiss.wav", 0.1 * np.random.default_rng(0).standard_normal((1, RATE)), RATE)
    return tmp_path / "speech", tmp_path / "noise"


def mix(sources, out, *more):
    settings = ("--seconds", 1, "--rate", RATE, "--jobs", 1)
    return command("mix", "--speech", sources[0], "--noise", sources[1], *settings, "-o", out, *more)


def test_a_set_has_what_was_asked_for(sources, tmp_path):
    said = mix(sources, tmp_path / "set", "--snr", "-5,10", "--per-snr", 2)
    assert said.code == 0
    assert said.err.strip() == f"{tmp_path / 'set'}: 4 clips written"
    found = find_pairs(tmp_path / "set")
    assert [pair.conditions["snr_db"] for pair in found] == [-5.0, 10.0, -5.0, 10.0]
    assert found[0].read().clean.shape == (1, RATE)


def test_a_larger_count_adds(sources, tmp_path):
    assert mix(sources, tmp_path / "set", "--count", 2).code == 0
    said = mix(sources, tmp_path / "set", "--count", 3)
    assert said.err.strip().endswith("1 clips written, 2 were there already")
    assert mix(sources, tmp_path / "set", "--count", 3, "--quiet").err == ""


def test_another_seed_needs_another_folder(sources, tmp_path):
    assert mix(sources, tmp_path / "set", "--count", 2).code == 0
    said = mix(sources, tmp_path / "set", "--count", 2, "--seed", 1)
    assert said.code == 1
    assert "of another seed" in said.error
    assert mix(sources, tmp_path / "set", "--count", 2, "--seed", 1, "--overwrite").code == 0


def test_what_cannot_be_used_is_told_in_one_line(sources, tmp_path):
    said = command("mix", "--speech", sources[0], "-o", tmp_path / "set")
    assert "--noise FOLDER" in said.error
    assert "--snr is 'loud'" in mix(sources, tmp_path / "set", "--snr", "loud").error
    assert "not a folder" in command("mix", "--speech", tmp_path / "no", "--noise", sources[1], "-o", tmp_path).error
    (tmp_path / "empty").mkdir()
    assert "is empty" in command("mix", "--speech", tmp_path / "empty", "--noise", sources[1], "-o", tmp_path).error
