"""``unmuffle evaluate`` shows, writes and keeps what it measured, and says in one line what it cannot use."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import command

from unmuffle.measure.report.jsonl import read_jsonl

RATE = 16_000
QUICK = ("-m", "si_sdr_db", "-m", "real_time_factor", "--jobs", 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, noisy_speech, write_file) -> Path:
    home = tmp_path_factory.mktemp("set")
    for seed, name in enumerate("ab"):
        clean = noisy_speech(RATE, 2.0, seed=seed)
        noise = 0.05 * np.random.default_rng(seed).standard_normal(clean.shape)
        write_file(home / "clean" / f"{name}.wav", clean, RATE)
        write_file(home / "noisy" / f"{name}.wav", clean + noise, RATE)
    (home / "pairs.csv").write_text("id,snr_db,noise\na,5,hiss\nb,0,hiss\n")
    return home


def test_the_table_has_gain_and_speed(folder):
    said = command("evaluate", "--data", folder, "-e", "log_mmse", "-e", "auto", *QUICK)
    assert said.code == 0
    lines = said.out.splitlines()
    for title in ("SI-SDR, dB", "real-time factor"):
        place = next(index for index, line in enumerate(lines) if line.startswith(title))
        assert {"log_mmse", "auto"} <= {line.replace("*", " ").split()[0] for line in lines[place + 1 : place + 4]}
    assert any(line.lstrip("* ").startswith("noisy") for line in lines)


def test_json_holds_means_and_gains(folder):
    said = command("evaluate", "--data", folder, "-e", "log_mmse", *QUICK, "--json")
    data = json.loads(said.out)
    assert data["enhancers"].keys() == {"noisy", "log_mmse"}
    after, before = (data["enhancers"][name]["si_sdr_db"] for name in ("log_mmse", "noisy"))
    assert after["gain"] == pytest.approx(after["mean"] - before["mean"])
    assert after["clips"] == 2
    assert data["failed"] == []
    assert data["about"]["data"] == str(folder)


def test_reports_are_written_by_their_ending(folder, tmp_path):
    names = [tmp_path / f"out{suffix}" for suffix in (".jsonl", ".csv")]
    reports = [part for name in names for part in ("--report", name)]
    said = command("evaluate", "--data", folder, "-e", "log_mmse", *QUICK, *reports, "--quiet")
    assert (said.code, said.out, said.err) == (0, "", "")
    results = read_jsonl(names[0])
    assert results.get("a", "log_mmse").conditions == {"snr_db": 5.0, "noise": "hiss"}
    with names[1].open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["clip"], row["enhancer"]) for row in rows] == [(row.clip, row.enhancer) for row in results]
    assert float(rows[0]["si_sdr_db"]) == results.get("a", "noisy").values["si_sdr_db"]


def test_the_page_plays_what_was_kept(folder, tmp_path):
    pytest.importorskip("jinja2")
    page = tmp_path / "out.html"
    said = command("evaluate", "--data", folder, *QUICK, "--save", tmp_path / "audio", "--report", page, "--quiet")
    assert said.code == 0
    assert sorted(path.name for path in (tmp_path / "audio" / "auto").iterdir()) == ["a.flac", "b.flac"]
    assert "auto" in page.read_text()


def test_a_run_is_gone_on_with(folder, tmp_path):
    calls = tmp_path / "calls"
    tool = tmp_path / "tool.py"
    tool.write_text(
        f"import shutil, sys\nopen({str(calls)!r}, 'a').write('x')\nshutil.copy(sys.argv[1], sys.argv[2])\n"
    )
    settings = (
        "-e",
        f"copy=command:'{sys.executable}' '{tool}' {{in}} {{out}}",
        *QUICK,
        "--resume",
        tmp_path / "j.jsonl",
    )
    assert command("evaluate", "--data", folder, *settings).code == 0
    assert command("evaluate", "--data", folder, *settings).code == 0
    assert calls.read_text() == "xx"


def test_speech_and_noise_are_mixed_for_the_run(folder, tmp_path):
    sources = ("--speech", folder / "clean", "--noise", folder / "noisy")
    said = command("evaluate", *sources, "--count", 2, "--seconds", 1, "--snr", "3,6", *QUICK, "--json")
    assert json.loads(said.out)["enhancers"]["noisy"]["si_sdr_db"]["clips"] == 2


def test_a_clip_that_fails_is_named_and_the_others_are_measured(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "set")
    (tmp_path / "set" / "noisy" / "b.wav").write_bytes(b"RIFF")
    said = command("evaluate", "--data", tmp_path / "set", *QUICK)
    assert said.code == 1
    assert "failed: b (auto)" in said.out
    assert "SI-SDR, dB" in said.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "give either --data, or --speech and --noise"),
        (("--data", "nowhere"), "nowhere does not exist"),
        (("--data", ".", "--speech", "."), "give either --data, or"),
        (("--speech", "."), "mixing needs both"),
        (("--data", "SET", "-e", "magic"), "there is no enhancer 'magic'"),
        (("--data", "SET", "-m", "beauty"), "there is no measure 'beauty'"),
        (("--data", "SET", "-e", "command:cat {in}"), "has no {out}"),
        (("--data", "SET", "-e", "auto", "-e", "auto"), "two enhancers are called 'auto'"),
        (("--data", "SET", "--report", "out.doc"), "out.doc: results are written as .html, .csv, .jsonl, .parquet"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(folder, arguments, told):
    said = command("evaluate", "--jobs", 1, *(folder if part == "SET" else part for part in arguments))
    assert said.code == 1
    assert told in said.error
