"""A run over a corpus: everything accounted for, resumed at any kill, and no clip worse off than the gate allows."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import time

import numpy as np
import pytest
import soundfile

from unmuffle import Enhancer
from unmuffle.cache import Cache
from unmuffle.corpus import RunOptions, clips_of, run, status, verify
from unmuffle.corpus.do_no_harm import do_no_harm
from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.measure.assurance.gate import QualityGate
from unmuffle.measure.assurance.rules import Rule, Threshold
from unmuffle.measure.results import ClipResult

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
    assert [found.output for found in verify(out)] == ["a.wav", "deep/b.flac"]
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


def test_workers_change_no_result(corpus, tmp_path):
    run(corpus, tmp_path / "one", **QUICK)
    run(corpus, tmp_path / "two", **QUICK | {"options": RunOptions(workers=2)})
    assert results(tmp_path / "two") == results(tmp_path / "one")


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_killed_at_any_moment_it_ends_as_if_undisturbed(tmp_path, noisy_speech, write_file):
    corpus = tmp_path / "corpus"
    for seed in range(40):
        write_file(corpus / f"{seed:02d}.wav", noisy_speech(RATE, seconds=4.0, seed=seed), RATE)
    arguments = ["--method", "wiener", "--measure", "none", "--workers", "2", "--json"]

    def start(out):
        command = [sys.executable, "-m", "unmuffle", "corpus", "run", str(corpus), "-o", str(out), *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)

    undisturbed = start(tmp_path / "whole")
    told, _ = undisturbed.communicate()
    assert len(told.splitlines()) == 40
    chance, done = random.Random(1), []
    for _ in range(4):
        process = start(tmp_path / "killed")
        done += [json.loads(process.stdout.readline())["id"] for _ in range(chance.randint(1, 8))]
        time.sleep(chance.uniform(0.0, 0.05))
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
    assert "<td>3</td><th scope='row'>enhanced</th>" in page
    assert "failed: unreadable" in page
    assert "deep/ü ß.wav" in page
    assert "data:audio" in page


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
    refused = run_command("corpus", "run", corpus, "-o", out, "--otherwise", "burn")
    assert b"must be one of original, reject, enhanced" in refused.stderr
