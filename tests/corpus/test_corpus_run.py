"""A run over a corpus: everything accounted for, resumed at any kill, and no clip worse off than the gate allows."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

import unmuffle
from unmuffle import Enhancer
from unmuffle.cache import Cache
from unmuffle.corpus import Clip, RunOptions, clips_of, run, status, verify
from unmuffle.corpus.do_no_harm import do_no_harm
from unmuffle.corpus.journal import Journal
from unmuffle.corpus.listing import write_lists
from unmuffle.corpus.running import journal_of
from unmuffle.corpus.summary import write_summary
from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.measure.assurance.gate import QualityGate
from unmuffle.measure.assurance.rules import Rule, Threshold
from unmuffle.measure.results import ClipResult
from unmuffle.models import default_model

RATE = 16_000
QUICK = {"enhancer": Enhancer("wiener"), "measures": (), "options": RunOptions(workers=1)}
NEVER = QualityGate((Rule((Threshold("loudness_lufs", minimum=100.0),)),))


@pytest.fixture
def corpus(tmp_path, noisy_speech, write_file):
    folder = tmp_path / "corpus"
    for seed, name in enumerate(("a.wav", "deep/b.flac", "deep/ü ß.wav")):
        write_file(folder / name, noisy_speech(RATE, seed=seed), RATE)
    return folder


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def results(folder):
    """Every result with its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".unmuffle" not in path.parts and path.suffix != ".jsonl"
    }


def test_results_mirror_the_corpus_and_equal_those_of_single_files(corpus, tmp_path):
    report = run(corpus, tmp_path / "out", **QUICK)
    assert (report.done, report.failed, report.left) == (3, 0, 0)
    assert sorted(results(tmp_path / "out")) == ["a.wav", "deep/b.flac", "deep/ü ß.wav"]
    Enhancer("wiener").enhance_file(corpus / "a.wav", tmp_path / "alone.wav")
    assert (tmp_path / "out" / "a.wav").read_bytes() == (tmp_path / "alone.wav").read_bytes()
    assert not (tmp_path / "out" / ".unmuffle" / "work").exists()


def test_the_manifest_carries_every_field_and_what_was_done(corpus, tmp_path):
    manifest = corpus / "train.jsonl"
    rows = [
        {"audio_filepath": "a.wav", "duration": 9.0, "text": "hello", "speaker": 3},
        {"audio_filepath": "deep/b.flac", "offset": 0.5, "duration": 0.75, "text": "span"},
    ]
    manifest.write_text("\n".join(map(json.dumps, rows)))
    run(manifest, tmp_path / "out", **QUICK | {"measures": ("crest_factor_db", "estimated_snr_db")})
    whole, span = lines(tmp_path / "out" / "manifest.jsonl")
    assert (whole["text"], whole["speaker"], whole["duration"]) == ("hello", 3, 1.5)
    assert span["duration"] == 0.75
    assert "offset" not in span
    for row in (whole, span):
        audio, rate = soundfile.read(tmp_path / "out" / row["audio_filepath"])
        assert len(audio) / rate == row["duration"]
        assert row["unmuffle"]["before"]["crest_factor_db"] != row["unmuffle"]["after"]["crest_factor_db"]
        assert len(row["unmuffle"]["output_sha256"]) == len(row["unmuffle"]["source_sha256"]) == 64
    assert "estimated_snr_db" in span["unmuffle"]["not_measured"]
    source, _ = soundfile.read(corpus / "deep" / "b.flac")
    expected = Enhancer("wiener").enhance(source[RATE // 2 : RATE // 2 + 3 * RATE // 4], RATE)
    made, _ = soundfile.read(tmp_path / "out" / span["audio_filepath"])
    np.testing.assert_allclose(made, expected, atol=2 / 32768)


def test_shards_and_urls_give_what_files_give(corpus, tmp_path):
    run(corpus, tmp_path / "files", **QUICK)
    with tarfile.open(tmp_path / "s.tar", "w") as archive:
        archive.add(corpus, arcname=".")
    run(tmp_path / "s.tar", tmp_path / "shards", **QUICK)
    assert results(tmp_path / "shards" / "s") == results(tmp_path / "files")
    pytest.importorskip("fsspec")
    run(f"file://{corpus}", tmp_path / "urls", **QUICK)
    assert results(tmp_path / "urls") == results(tmp_path / "files")


def test_a_shard_that_was_cut_short_is_told_by_name(corpus, tmp_path):
    with tarfile.open(tmp_path / "s.tar", "w") as archive:
        archive.add(corpus / "a.wav", arcname="a.wav")
        archive.add(corpus / "deep" / "b.flac", arcname="b.flac")
    planned = list(clips_of(tmp_path / "s.tar", tmp_path / "out"))
    with (tmp_path / "s.tar").open("r+b") as file:
        file.truncate(planned[1].member.offset + 10)
    run(planned, tmp_path / "out", **QUICK)
    (failed,) = lines(tmp_path / "out" / "quarantine.jsonl")
    assert "s.tar ends within b.flac" in failed["unmuffle"]["message"]


def test_cuts_come_back_as_cuts_of_the_results(corpus, tmp_path):
    lhotse = pytest.importorskip("lhotse")
    recording = lhotse.Recording.from_file(corpus / "a.wav", recording_id="a")
    spans = [recording.to_cut().truncate(offset=0.25, duration=1.0), recording.to_cut()]
    lhotse.CutSet.from_cuts(item.with_id(f"c{n}") for n, item in enumerate(spans)).to_file(corpus / "cuts.jsonl.gz")
    run(corpus / "cuts.jsonl.gz", tmp_path / "out", **QUICK)
    rows = lines(tmp_path / "out" / "manifest.jsonl")
    found = list(lhotse.CutSet.from_file(tmp_path / "out" / "manifest.jsonl"))
    assert [(item.id, item.start, item.duration) for item in found] == [("c0", 0.0, 1.0), ("c1", 0.0, 1.5)]
    source, _ = soundfile.read(corpus / "a.wav")
    expected = Enhancer("wiener").enhance(source[RATE // 4 : RATE // 4 + RATE], RATE)
    made, _ = soundfile.read(tmp_path / "out" / rows[0]["recording"]["sources"][0]["source"])
    np.testing.assert_allclose(made, expected, atol=2 / 32768)
    assert rows[0]["custom"]["unmuffle"]["verdict"] == "enhanced"


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_manifest_comes_back_in_its_own_kind_too(corpus, tmp_path, kind):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    manifest = corpus / f"list.{kind}"
    if kind == "csv":
        manifest.write_text("path,text\na.wav,hello\n")
    else:
        parquet.write_table(arrow.Table.from_pylist([{"path": "a.wav", "text": "hello"}]), manifest)
    run(manifest, tmp_path / "out", **QUICK)
    written = tmp_path / "out" / f"manifest.{kind}"
    if kind == "csv":
        head, row = written.read_text(encoding="utf-8").splitlines()
        found = dict(zip(head.split(","), row.split(","), strict=False))
    else:
        (found,) = parquet.read_table(written).to_pylist()
    assert (found["path"], found["text"], found["unmuffle.verdict"]) == ("a.wav", "hello", "enhanced")


def test_a_table_takes_columns_of_mixed_kinds_and_rows_without_some(corpus, tmp_path):
    pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    fields = [{"n": 1, "mixed": "a", "only": True}, {"n": 0.5, "mixed": 7, "list": [1, 2]}, {"mixed": None}]
    names = ("a.wav", "deep/b.flac", "deep/ü ß.wav")
    clips = [Clip(name, str(corpus / name), name, own) for name, own in zip(names, fields, strict=True)]
    out = tmp_path / "out"
    run(clips, out, **QUICK)
    with Journal(journal_of(out)) as journal:
        for kind in (".csv", ".parquet"):
            write_lists(journal, out, kind)
    rows = parquet.read_table(out / "manifest.parquet").to_pylist()
    assert [row["n"] for row in rows] == [1.0, 0.5, None]
    assert [row["mixed"] for row in rows] == ["a", "7", None]
    assert [row["only"] for row in rows] == [True, None, None]
    assert rows[1]["list"] == "[1, 2]"
    with (out / "manifest.csv").open(encoding="utf-8", newline="") as file:
        assert [row["mixed"] for row in csv.DictReader(file)] == ["a", "7", ""]


@pytest.mark.parametrize(("otherwise", "verdict"), [("original", "original"), ("reject", "rejected")])
def test_what_the_gate_does_not_pass_is_left_as_it_was_or_out(corpus, tmp_path, otherwise, verdict):
    report = run(corpus, tmp_path / "out", **QUICK | {"gate": NEVER, "otherwise": otherwise})
    assert report.done == 3
    if otherwise == "original":
        assert results(tmp_path / "out") == results(corpus)
        rows = lines(tmp_path / "out" / "manifest.jsonl")
    else:
        assert results(tmp_path / "out") == {}
        assert not lines(tmp_path / "out" / "manifest.jsonl")
        rows = lines(tmp_path / "out" / "rejected.jsonl")
    assert len(rows) == 3
    assert {row["unmuffle"]["verdict"] for row in rows} == {verdict}
    assert "oudness" in rows[0]["unmuffle"]["reason"]


@pytest.mark.parametrize(
    ("before", "after", "passes"),
    [
        ({"estimated_snr_db": 8.0}, {"high_band_loss_db": 1.0}, True),
        ({"estimated_snr_db": 40.0}, {"high_band_loss_db": 0.0}, False),
        ({"estimated_snr_db": 8.0}, {"high_band_loss_db": 9.0}, False),
        ({}, {"high_band_loss_db": 0.0}, False),
    ],
)
def test_the_default_gate_enhances_what_is_noisy_and_keeps_its_treble(before, after, passes):
    rows = [ClipResult("a", name, RATE, 2.0, values) for name, values in (("ours", after), ("noisy", before))]
    assert do_no_harm().judge(*rows).passed is passes


def test_the_default_gate_leaves_a_clip_alone_that_it_cannot_measure(tmp_path, noisy_speech, write_file):
    source = write_file(tmp_path / "corpus" / "short.wav", noisy_speech(RATE, seconds=0.1), RATE)
    run(tmp_path / "corpus", tmp_path / "out", gate=do_no_harm(), options=RunOptions(workers=1))
    assert (tmp_path / "out" / "short.wav").read_bytes() == source.read_bytes()


def test_an_original_in_another_format_is_converted(corpus, tmp_path):
    run(corpus, tmp_path / "out", **QUICK | {"gate": NEVER, "suffix": "flac"})
    before, _ = soundfile.read(corpus / "a.wav")
    after, _ = soundfile.read(tmp_path / "out" / "a.flac")
    np.testing.assert_array_equal(after, before)


def test_what_is_done_is_not_done_again(corpus, tmp_path):
    told = []
    run(corpus, tmp_path / "out", **QUICK, told=lambda clip, *_: told.append(clip.key))
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.wav")}
    run(corpus, tmp_path / "out", **QUICK, told=lambda clip, *_: told.append(clip.key))
    assert sorted(told) == ["a.wav", "deep/b.flac", "deep/ü ß.wav"]
    assert times == {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.wav")}


def test_a_second_run_elsewhere_takes_results_from_the_cache(corpus, tmp_path, monkeypatch):
    monkeypatch.setenv("UNMUFFLE_CACHE", str(tmp_path / "cache"))
    options = RunOptions(workers=1, cache=True)
    for name in ("one", "two"):
        run(corpus, tmp_path / name, **QUICK | {"options": options})
    assert results(tmp_path / "one") == results(tmp_path / "two")
    with Cache() as cache:
        assert cache.statistics.hits == 3


def test_other_settings_are_noticed(corpus, tmp_path):
    run(corpus, tmp_path / "out", **QUICK)
    before = results(tmp_path / "out")
    other = QUICK | {"enhancer": Enhancer("wiener", strength=0.5)}
    with pytest.raises(InvalidParameterError, match="begun with another strength"):
        run(corpus, tmp_path / "out", **other)
    assert results(tmp_path / "out") == before
    run(corpus, tmp_path / "out", **other | {"options": RunOptions(workers=1, redo=True)})
    changed = results(tmp_path / "out")
    assert changed.keys() == before.keys()
    assert all(changed[name] != before[name] for name in before)


def test_bad_clips_are_set_aside_with_reasons_and_the_others_done(corpus, tmp_path, noisy_speech, write_file):
    (corpus / "empty.wav").write_bytes(b"")
    (corpus / "text.wav").write_text("no sound in here\n" * 50)
    (corpus / "mp3.wav").write_bytes((corpus / "deep" / "b.flac").read_bytes())
    write_file(corpus / "none.wav", np.zeros((1, 0)), RATE)
    write_file(corpus / "blink.wav", noisy_speech(RATE, seconds=0.05), RATE)
    broken = np.full((1, RATE), np.nan)
    write_file(corpus / "nan.wav", broken, RATE, subtype="FLOAT")
    report = run(corpus, tmp_path / "out", **QUICK | {"measures": ("estimated_snr_db",)})
    failed = {row["id"]: row["unmuffle"] for row in lines(tmp_path / "out" / "quarantine.jsonl")}
    assert set(failed) == {"empty.wav", "text.wav", "none.wav", "nan.wav"}
    assert {failed[name]["cause"] for name in ("empty.wav", "text.wav", "none.wav")} == {"unreadable"}
    assert failed["nan.wav"]["cause"] == "audio"
    assert all(row["message"] for row in failed.values())
    assert (report.done, report.failed) == (5, 4)
    assert {"mp3.wav", "blink.wav"} < set(results(tmp_path / "out"))


def test_rows_whose_file_is_missing_are_set_aside_and_found_when_it_comes(corpus, tmp_path):
    manifest = corpus / "list.csv"
    manifest.write_text("path\na.wav\nlater.wav\n")
    assert run(manifest, tmp_path / "out", **QUICK).failures == {"missing": 1}
    shutil.copy(corpus / "a.wav", corpus / "later.wav")
    assert run(manifest, tmp_path / "out", **QUICK).failed == 0


def test_failures_are_tried_again_on_request_alone(corpus, tmp_path):
    (corpus / "text.wav").write_text("no sound")
    told = []
    for again in (False, False, True):
        options = RunOptions(workers=1, retry_failed=again)
        run(corpus, tmp_path / "out", **QUICK | {"options": options}, told=lambda clip, *_: told.append(clip.key))
    assert told.count("text.wav") == 2


@pytest.mark.skipif(sys.platform != "linux", reason="needs a device in the place of a folder")
def test_a_place_that_takes_no_result_stops_the_run_and_fails_no_clip(corpus, tmp_path):
    out = tmp_path / "out"
    run(corpus, out, **QUICK)
    (corpus / "more").mkdir()
    shutil.copy(corpus / "a.wav", corpus / "more" / "z.wav")
    # Part of the result's path is no folder.
    (out / "more").symlink_to("/dev/full")
    with pytest.raises(AudioFileError, match="goes on when it is run again"):
        run(corpus, out, **QUICK)
    assert (status(out).left, status(out).failed) == (1, 0)
    (out / "more").unlink()
    assert run(corpus, out, **QUICK).done == 4


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is read-only to the superuser")
def test_a_read_only_destination_is_told(corpus, tmp_path):
    (tmp_path / "out").mkdir(mode=0o500)
    with pytest.raises(AudioFileError, match="cannot be written"):
        run(corpus, tmp_path / "out", **QUICK)


def test_damage_to_results_is_found_and_mended(corpus, tmp_path):
    out = tmp_path / "out"
    run(corpus, out, **QUICK)
    whole = results(out)
    assert not list(verify(out))
    (out / "a.wav").write_bytes(whole["a.wav"][:-2])
    (out / "deep" / "b.flac").unlink()
    told = []
    found = verify(out, told=lambda *counts: told.append(counts))
    assert [item.output for item in found] == ["a.wav", "deep/b.flac"]
    assert told[-1] == (3, 3)
    assert len(list(verify(out, mend=True))) == 2
    run(corpus, out, **QUICK)
    assert results(out) == whole
    assert not list(verify(out))


def test_the_status_tells_how_far_it_is(corpus, tmp_path):
    (corpus / "text.wav").write_text("no sound")
    run(corpus, tmp_path / "out", **QUICK)
    found = status(tmp_path / "out")
    assert (found.done, found.failed, found.left, found.seconds) == (3, 1, 0, 4.5)
    assert found.failures == {"unreadable": 1}
    assert "text.wav is not audio" in found.examples["unreadable"]
    assert (found.at_work, found.planning, found.gone) == (False, 0, 0)


def test_the_status_of_a_run_that_is_at_work(corpus, tmp_path):
    seen = []
    run(corpus, tmp_path / "out", **QUICK, told=lambda *_: seen.append(status(tmp_path / "out")))
    assert [(found.at_work, found.done, found.left) for found in seen] == [(True, 1, 2), (True, 2, 1), (True, 3, 0)]


def test_how_the_source_is_named_makes_it_no_other(corpus, tmp_path, monkeypatch):
    told = []
    monkeypatch.chdir(tmp_path)
    for source in ("corpus", corpus, f"{corpus}/", "./corpus/../corpus"):
        run(source, "out", **QUICK, told=lambda clip, *_: told.append(clip.key))
    assert len(told) == 3
    assert all(Path(row["unmuffle"]["source"]).is_absolute() for row in lines(tmp_path / "out" / "manifest.jsonl"))


@pytest.mark.parametrize(
    ("settings", "strength"),
    [
        ({"method": "wiener"}, 1.0),
        ({"method": "wiener", "strength": 0.4}, 0.4),
        ({"chain": "highpass,denoise:method=wiener:strength=.7"}, 0.7),
        ({"chain": "highpass"}, None),
    ],
)
def test_the_manifest_tells_the_strength_also_where_it_is_fixed(corpus, tmp_path, settings, strength):
    run(corpus, tmp_path / "out", **QUICK | {"enhancer": Enhancer(**settings)})
    assert {row["unmuffle"]["strength"] for row in lines(tmp_path / "out" / "manifest.jsonl")} == {strength}


def test_the_manifest_tells_what_was_measured_and_by_what(corpus, tmp_path):
    run(corpus, tmp_path / "out", enhancer=Enhancer(strength="auto"), options=RunOptions(workers=1))
    for row in lines(tmp_path / "out" / "manifest.jsonl"):
        told = row["unmuffle"]
        for side in ("before", "after"):
            assert {"loudness_lufs", "estimated_snr_db"} <= told[side].keys() | told["not_measured"].keys()
        assert {"artefact_score", "high_band_loss_db", "speech_level_change_db"} <= (
            told["after"].keys() | told["not_measured"].keys()
        )
        assert 0.0 <= told["strength"] <= 1.0
        assert told["settings"]["model_name"] == default_model().name
        assert len(told["settings"]["model_sha256"].partition("+")[0]) == 64
        assert told["settings"]["version"] == unmuffle.__version__
        assert {"elapsed_s", "verdict", "reason", "source_sha256", "output_sha256", "duration_s"} <= told.keys()


def test_workers_change_no_result(corpus, tmp_path):
    run(corpus, tmp_path / "one", **QUICK)
    run(corpus, tmp_path / "two", **QUICK | {"options": RunOptions(workers=2)})
    assert results(tmp_path / "two") == results(tmp_path / "one")


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_killed_at_any_moment_it_ends_as_if_undisturbed(tmp_path, noisy_speech, write_file):
    corpus = tmp_path / "corpus"
    speech = noisy_speech(RATE, seconds=12.0)
    for number in range(200):
        write_file(corpus / f"{number:03d}.wav", speech[:, 600 * number : 600 * number + 4 * RATE], RATE)
    arguments = ["--measure", "none", "--workers", "2", "--json"]

    def start(out):
        command = [sys.executable, "-m", "unmuffle", "corpus", "run", str(corpus), "-o", str(out), *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)

    undisturbed = start(tmp_path / "whole")
    told, _ = undisturbed.communicate()
    assert len(told.splitlines()) == 200
    chance, done = random.Random(1), []
    for _ in range(4):
        process = start(tmp_path / "killed")
        done += [json.loads(process.stdout.readline())["id"] for _ in range(chance.randint(1, 30))]
        time.sleep(chance.uniform(0.0, 0.1))
        os.killpg(process.pid, signal.SIGKILL)
        rest, _ = process.communicate()
        done += [json.loads(line)["id"] for line in rest.splitlines() if line.endswith("}")]
    rest, _ = start(tmp_path / "killed").communicate()
    done += [json.loads(line)["id"] for line in rest.splitlines()]
    assert len(set(done)) == len(done), "what was told as done was done again"
    assert results(tmp_path / "killed") == results(tmp_path / "whole")
    rows = [lines(tmp_path / name / "manifest.jsonl") for name in ("killed", "whole")]
    assert [row["id"] for row in rows[0]] == [row["id"] for row in rows[1]]
    assert not list(verify(tmp_path / "killed"))


def test_the_summary_tells_totals_and_plays_clips(corpus, tmp_path, run_command):
    pytest.importorskip("matplotlib")
    (corpus / "text.wav").write_text("no sound")
    run(corpus, tmp_path / "out", **QUICK | {"measures": ("loudness_lufs", "crest_factor_db")})
    done = run_command("corpus", "summary", tmp_path / "out", "-o", tmp_path / "page.html")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<th scope='row'>enhanced</th><td>3</td><td>75.0 %</td><td>4.50 s</td>" in page
    assert "<th scope='row'>unreadable</th><td>1</td><td>" in page
    assert "text.wav is not audio" in page
    assert "deep/ü ß.wav" in page
    assert page.index("What became of the clips</h2>") < page.index("Enhancers side by side</h2>")
    assert "data:audio" in page


def test_the_summary_tells_what_the_gate_had_against_clips(corpus, tmp_path):
    pytest.importorskip("matplotlib")
    run(corpus, tmp_path / "out", **QUICK | {"gate": NEVER})
    write_summary(tmp_path / "out", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<th scope='row'>kept as they came</th><td>3</td><td>100.0 %</td>" in page
    assert "<th scope='row'>kept as they came: loudness</th><td>3</td>" in page


def test_nothing_measured_is_nothing_to_sum_up(corpus, tmp_path, run_command):
    run(corpus, tmp_path / "out", **QUICK)
    done = run_command("corpus", "summary", tmp_path / "out", "-o", tmp_path / "page.html")
    assert b"nothing was measured" in done.stderr
    assert not (tmp_path / "page.html").exists()


def test_from_the_command_line(corpus, tmp_path, run_command):
    out = tmp_path / "out"
    planned = run_command("corpus", "run", corpus, "-o", out, "--dry-run")
    assert len(planned.stdout.splitlines()) == 3
    assert not out.exists()
    done = run_command("corpus", "run", corpus, "-o", out, "--method", "wiener", "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert b"3 done" in done.stderr
    told = json.loads(run_command("corpus", "status", out, "--json").stdout)
    assert (told["done"], told["left"]) == (3, 0)
    assert run_command("corpus", "verify", out).returncode == 0
    (out / "a.wav").unlink()
    damaged = run_command("corpus", "verify", out)
    assert damaged.returncode == 1
    assert b"a.wav: it cannot be read" in damaged.stdout
    arguments = ("--method", "wiener", "--workers", "1", "--measure", "quick", "--measure", "crest_factor_db")
    added = run_command("corpus", "run", corpus, "-o", tmp_path / "more", *arguments)
    assert added.returncode == 0, added.stderr
    measured = lines(tmp_path / "more" / "manifest.jsonl")[0]["unmuffle"]
    assert {"loudness_lufs", "crest_factor_db"} <= measured["after"].keys() | measured["not_measured"].keys()
    refused = run_command("corpus", "run", corpus, "-o", out, "--otherwise", "burn")
    assert b"must be one of original, reject, enhanced" in refused.stderr
