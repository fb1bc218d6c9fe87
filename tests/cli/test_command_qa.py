"""``unmuffle qa`` answers pipelines by its exit code, people by a table, and programs by JSON, JUnit and a history."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from command_line import command, plain

from unmuffle.measure import ClipResult, Results
from unmuffle.measure.assurance.gate import QualityGate
from unmuffle.measure.assurance.history import QualityHistory
from unmuffle.measure.report.jsonl import write_jsonl

RATE = 16_000
GATE = '[[rules]]\nmeasure = "snr_db"\nof = "gain"\nminimum = {}\n'


@pytest.fixture
def audio(tmp_path, write_file, noisy_speech):
    """Folders of three clips from which the enhancer takes 90, 80 and 50 per cent of the noise: 20, 14 and 6 dB."""
    for place, (name, left) in enumerate((("a", 0.1), ("b", 0.2), ("c", 0.5))):
        clean = noisy_speech(RATE, 1.0, seed=place)
        hiss = 0.05 * np.random.default_rng(place).standard_normal(clean.shape)
        for folder, samples in (("noisy", clean + hiss), ("enhanced", clean + left * hiss), ("clean", clean)):
            write_file(tmp_path / folder / f"{name}.wav", samples, RATE, "FLOAT")
    return tmp_path


@pytest.fixture
def gate(tmp_path):
    def write(minimum, more=""):
        path = tmp_path / "gate.toml"
        path.write_text(more + GATE.format(minimum))
        return path

    return write


def folders(audio):
    return [audio / role for role in ("noisy", "enhanced", "clean")]


def files(audio, name="a"):
    return [folder / f"{name}.wav" for folder in folders(audio)]


def qa(*arguments):
    """Run the command with no more measures than the gate needs, so that it is quick."""
    return command("qa", *arguments, "--measure", "snr_db")


@pytest.mark.parametrize(("minimum", "code"), [(19.0, 0), (21.0, 1)])
def test_the_exit_code_says_whether_a_file_passed(audio, gate, minimum, code):
    said = qa(*files(audio), "--gate", gate(minimum))
    assert said.code == code
    assert said.out.splitlines()[-1] == f"enhanced: {'failed' if code else 'passed'}"
    assert f"SNR gain: +20.00 dB, at least {minimum:g}" in said.out


@pytest.mark.parametrize(
    ("more", "minimum", "code"),
    [("", 13.0, 0), ("", 13.9, 1), ('on = "clips"\n', 13.0, 1), ('on = "clips"\nleast_share = 0.6\n', 13.0, 0)],
)
def test_folders_are_judged_on_the_mean_or_clip_by_clip(audio, gate, more, minimum, code):
    said = qa(*folders(audio), "--gate", gate(minimum, more))
    assert said.code == code
    assert "2 of 3 clips pass alone" in plain(said.out)
    assert "worst     c: SNR gain: +6.02 dB" in plain(said.out)


def test_a_clip_that_cannot_be_measured_is_told_and_the_exit_code_is_2(audio, gate):
    (audio / "enhanced" / "b.wav").write_bytes(b"no audio")
    said = qa(*folders(audio), "--gate", gate(5.0))
    assert said.code == 2
    assert "unmuffle: b: " in said.err
    assert "passed    SNR gain: +13.01 dB, at least 5 (mean of 2 clips)" in said.out
    assert qa(*folders(audio), "--gate", gate(15.0)).code == 1


def test_without_a_reference_such_rules_are_skipped_or_fail_where_required(audio, gate):
    said = qa(*files(audio)[:2], "--gate", gate(1.0))
    assert said.code == 2
    assert "skipped   SNR gain: not known, there is no clean reference" in said.out
    path = gate(1.0)
    path.write_text(path.read_text() + "required = true\n")
    assert qa(*files(audio)[:2], "--gate", path).code == 1


def test_json_holds_the_verdict_and_the_measures(audio, gate):
    said = qa(*folders(audio), "--gate", gate(13.0), "--json", "--enhancer", "mine", "-j", 2)
    (enhancer,) = json.loads(said.out)["enhancers"]
    assert (enhancer["enhancer"], enhancer["status"], enhancer["clips_passed"]) == ("mine", "passed", 2)
    assert [clip["clip"] for clip in enhancer["clips"]] == ["a", "b", "c"]
    assert enhancer["clips"][0]["gains"]["snr_db"] == pytest.approx(20.0, abs=0.01)
    assert enhancer["rules"][0]["findings"][0]["measured"] == pytest.approx(40.0 / 3.0, abs=0.02)


def test_junit_is_red_where_the_gate_failed(audio, gate):
    for minimum, failures in ((13.0, "0"), (15.0, "1")):
        qa(*folders(audio), "--gate", gate(minimum), "--junit", audio / "out.xml")
        assert ET.parse(audio / "out.xml").getroot().get("failures") == failures


def test_the_default_gate_can_be_written_edited_and_used(audio):
    said = command("qa", "--write-gate", audio / "mine.toml")
    assert said.code == 0
    assert QualityGate.load(audio / "mine.toml") == QualityGate.default()
    again = command("qa", "--write-gate", audio / "mine.toml")
    assert again.code == 2
    assert "is there already" in again.error
    said = qa(*files(audio), "--gate", audio / "mine.toml", "--real-time-factor", 0.5, "--latency-ms", 60)
    assert "passed    real-time factor: 0.5000, at most 1" in said.out
    assert "failed    latency: 60.0 ms, at most 50" in said.out


def test_what_the_enhancer_made_of_clean_speech_is_judged(audio, gate):
    path = audio / "gate.toml"
    path.write_text('[[rules]]\nmeasure = "transparency_si_sdr_db"\nminimum = 20\n')
    said = qa(*files(audio), "--gate", path, "--enhanced-clean", audio / "clean" / "a.wav")
    assert said.code == 0
    assert "100.00 dB, at least 20" in said.out


def test_results_of_an_evaluation_are_judged_by_enhancer(tmp_path, gate):
    rows = [
        ClipResult(clip, enhancer, RATE, 5.0, {"snr_db": base + gain})
        for clip, base in (("a", 0.0), ("b", 10.0))
        for enhancer, gain in (("noisy", 0.0), ("weak", 1.0), ("strong", 9.0))
    ]
    write_jsonl(Results(rows), tmp_path / "results.jsonl")
    said = command("qa", "--results", tmp_path / "results.jsonl", "--gate", gate(3.0))
    assert said.code == 1
    assert "weak: failed" in said.out
    assert "strong: passed" in said.out
    assert command("qa", "--results", tmp_path / "results.jsonl", "--gate", gate(0.5)).code == 0


def test_a_history_tells_what_became_worse(audio, gate, write_file, noisy_speech):
    for version, left in (("1", 0.1), ("2", 0.3)):
        for place in range(8):
            clean = noisy_speech(RATE, 0.5, seed=place)
            hiss = 0.05 * np.random.default_rng(place).standard_normal(clean.shape)
            for folder, samples in (("n", clean + hiss), ("e", clean + left * hiss), ("c", clean)):
                write_file(audio / folder / f"{place}.wav", samples, RATE, "FLOAT")
        three = (audio / "n", audio / "e", audio / "c")
        options = ("--gate", gate(1.0), "--history", audio / "q.jsonl", "--label", version)
        said = qa(*three, *options)
        assert said.code == 0
        assert ("enhanced, 2 after 1: worse: SNR -9.54 dB on 8 clips" in said.err) == (version == "2")
    entries = QualityHistory(audio / "q.jsonl").read()
    assert [entry.version for entry in entries] == ["1"] * 8 + ["2"] * 8
    assert entries[0].assessment.after.files["enhanced"] == str(audio / "e" / "0.wav")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("noisy",), "name the original and the enhanced"),
        (("noisy", "enhanced/a.wav"), "all files or all folders"),
        (("noisy", "nowhere"), "all files or all folders"),
        (("empty", "enhanced"), "holds no audio"),
        (("noisy/a.wav", "nowhere.wav"), "nowhere.wav does not exist"),
        (("noisy", "--results", "x.jsonl"), "is judged alone"),
        (("noisy", "enhanced", "--gate", "nowhere.toml"), "nowhere.toml cannot be read"),
        (("noisy", "enhanced", "--gate", "bad.toml"), "did you mean stoi"),
        (("noisy", "enhanced", "--measure", "pesk"), "there is no measure 'pesk'"),
        (("--results", "nowhere.jsonl"), "nowhere.jsonl cannot be read"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line_and_the_exit_code_is_2(audio, monkeypatch, arguments, said):
    monkeypatch.chdir(audio)
    (audio / "empty").mkdir()
    (audio / "bad.toml").write_text('[[rules]]\nmeasure = "sto"\nminimum = 1\n')
    found = command("qa", *arguments)
    assert found.code == 2
    assert said in found.error


def test_all_that_is_usual_is_measured_unless_told_otherwise(tmp_path, gate, write_file, noisy_speech):
    clean = noisy_speech(RATE, 4.0)
    hiss = 0.05 * np.random.default_rng(0).standard_normal(clean.shape)
    three = ((clean + hiss, "noisy"), (clean + 0.1 * hiss, "enhanced"), (clean, "clean"))
    paths = [write_file(tmp_path / f"{name}.wav", samples, RATE, "FLOAT") for samples, name in three]
    said = command("qa", *paths, "--gate", gate(1.0))
    for name in ("SI-SDR", "segmental SNR", "STOI", "artefact score", "loudness", "true bandwidth"):
        assert any(line.startswith(name) for line in said.out.splitlines())
    assert "SI-SDR" not in qa(*paths, "--gate", gate(1.0)).out
