"""``unmuffle impact``: a run by a command, its files, and what it refuses."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from command_line import command

pytest.importorskip("jiwer", reason="the extra impact is not installed")

RATE = 16_000
TOOL = """
import sys, wave
import numpy as np
f = wave.open(sys.argv[1])
audio = np.frombuffer(f.readframes(f.getnframes()), "<i2") / 32768.0
spectrum = np.abs(np.fft.rfft(audio))
high = np.square(spectrum[spectrum.size // 2 :]).sum() / np.square(spectrum).sum()
print("yes " * 4 if high < 0.2 else "no " * 4)
"""
LOW_PASS = """
import sys
import numpy as np, soundfile
audio, rate = soundfile.read(sys.argv[1])
spectrum = np.fft.rfft(audio)
spectrum[spectrum.size // 2 :] = 0.0
soundfile.write(sys.argv[2], np.fft.irfft(spectrum, audio.size), rate, "PCM_16")
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    lines = ["file,text"]
    for number in range(10):
        voice = 0.2 * np.sin(2.0 * np.pi * (300.0 + 10.0 * number) * np.arange(4_800) / RATE)
        soundfile.write(tmp_path / f"c{number}.wav", voice, RATE)
        lines.append(f"c{number}.wav,Yes yes yes: yes!")
    (tmp_path / "list.csv").write_text("\n".join(lines))
    (tmp_path / "noise").mkdir()
    hiss = np.diff(rng.standard_normal(2 * RATE), 3)
    soundfile.write(tmp_path / "noise" / "hiss.wav", 0.05 * hiss / hiss.std(), RATE)
    (tmp_path / "tool.py").write_text(TOOL)
    (tmp_path / "low.py").write_text(LOW_PASS)
    return tmp_path


def impact(data: Path, *more: object, recognizer: str | None = None):
    own = f"command:'{sys.executable}' '{data / 'tool.py'}' {{in}}"
    options = ["--transcripts", data / "list.csv", "--embedder", "none", "--recognizer", recognizer or own]
    return command("impact", *options, *more)


def test_a_run_prints_a_table_and_writes_its_files(data):
    pytest.importorskip("matplotlib", reason="the extra report is not installed")
    low = f"low=command:'{sys.executable}' '{data / 'low.py'}' {{in}} {{out}}"
    files = [data / name for name in ("r.json", "r.png", "r.html")]
    said = impact(
        *(data, "--noise", data / "noise", "--snr", "0", "--strengths", "1", "--enhancer", low, "--jobs", "2"),
        *("--json", files[0], "--plot", files[1], "--report", files[2], "--resume", data / "run.jsonl"),
    )
    assert said.code == 0, said.err
    found = json.loads(files[0].read_text())["conditions"][0]
    assert (found["clips"], found["enhancer"], found["clean_wer"]["value"]) == (10, "low", 0.0)
    assert [step["wer"]["value"] for step in found["sweep"]] == [1.0, 0.0]
    assert found["verdict"]["text"] == "enhance"
    assert "enhance" in said.out
    assert files[1].read_bytes().startswith(b"\x89PNG")
    assert files[2].read_text().startswith("<!DOCTYPE html>")


def test_a_clip_that_fails_is_named_and_the_code_tells(data):
    (data / "c3.wav").write_bytes(b"nothing")
    said = impact(data, "--noise", data / "noise", "--snr", "20", "--strengths", "1", "--limit", "4")
    assert said.code == 1
    assert "c3" in said.err
    assert "hiss" not in said.err
    assert "leave alone" in said.out


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--snr", "loud"], "--snr is 'loud'"),
        (["--strengths", "2"], "strengths must be from 0 to 1"),
        (["--enhancer", "log_mms"], "did you mean log_mmse?"),
        (["--noise", "nowhere"], "nowhere does not exist"),
        (["--plot", "figure.docx"], "figure.docx is not a name for a figure"),
    ],
)
def test_wrong_options_are_told_in_one_line(data, more, named):
    said = impact(data, *more)
    assert said.code == 1
    assert named in said.error


@pytest.mark.parametrize(
    ("recognizer", "named"),
    [
        ("siri", "there is no recogniser 'siri'"),
        ("vosk", "path of a model on this machine"),
        ("faster-whisper:small", "there is none at small"),
        ("command:cat", "has no {in}"),
    ],
)
def test_wrong_recognisers_are_told_in_one_line(data, recognizer, named):
    assert named in impact(data, recognizer=recognizer).error


@pytest.mark.parametrize("package", ["pocketsphinx", "jiwer"])
def test_a_missing_package_is_told_in_one_line_before_anything_is_done(data, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    said = impact(data, "--resume", data / "run.jsonl", recognizer="pocketsphinx")
    assert 'pip install "unmuffle[impact]"' in said.error
    assert not (data / "run.jsonl").exists()


def test_a_list_that_is_not_there_is_told_in_one_line(data):
    assert "nowhere.csv" in command("impact", "--transcripts", data / "nowhere.csv").error
