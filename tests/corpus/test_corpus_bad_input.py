"""Whatever a corpus holds, every clip is accounted for, no result leaves the destination, and no run is lost."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import unicodedata
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

import unmuffle.corpus.last_source as last_source
from unmuffle import Enhancer
from unmuffle.corpus import RunOptions, clips_of, outlook, run, verify
from unmuffle.corpus.fetching import audio_at_hand
from unmuffle.errors import InvalidParameterError
from unmuffle.measure.assurance.gate import QualityGate
from unmuffle.measure.assurance.rules import Rule, Threshold
from unmuffle.signal.files import AudioReader

RATE = 16_000
QUICK = {"enhancer": Enhancer("wiener"), "measures": (), "options": RunOptions(workers=1)}
NEVER = QualityGate((Rule((Threshold("loudness_lufs", minimum=100.0),)),))
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="names and mounts of Linux")


@pytest.fixture
def wav(noisy_speech):
    """Give the bytes of a short recording."""

    def made(seed=0, seconds=0.4):
        held = io.BytesIO()
        soundfile.write(held, noisy_speech(RATE, seconds=seconds, seed=seed).T, RATE, format="WAV")
        return held.getvalue()

    return made


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def all_done(source, out, count, **changes):
    """Run, and return the paths of the results by the names of their clips; each is there and readable."""
    report = run(source, out, **QUICK | changes)
    assert (report.done, report.failures) == (count, {})
    places = {row["id"]: row["audio_filepath"] for row in lines(out / "manifest.jsonl")}
    assert len({place.casefold() for place in places.values()}) == count
    for place in places.values():
        assert soundfile.info(out / place).frames
        assert (out / place).resolve().is_relative_to(out.resolve())
    assert not list(verify(out))
    return places


def test_an_mp3_that_is_called_wav_is_read_by_what_it_is(tmp_path, noisy_speech):
    audio = noisy_speech(RATE, seconds=1.0)
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "x.wav", audio.T, RATE, format="MP3")
    all_done(tmp_path / "in", tmp_path / "out", 1)
    assert soundfile.info(tmp_path / "out" / "x.wav").format == "WAV"
    run(tmp_path / "in", tmp_path / "kept", **QUICK | {"gate": NEVER})
    assert (tmp_path / "kept" / "x.wav").read_bytes() == (tmp_path / "in" / "x.wav").read_bytes()


@ON_LINUX
def test_names_that_some_file_system_takes_for_one_have_results_apart(tmp_path, wav):
    (tmp_path / "in").mkdir()
    composed = unicodedata.normalize("NFC", "ä é.wav")
    names = ["Talk.wav", "talk.WAV", "TALK.wav", composed, unicodedata.normalize("NFD", composed), "ß.wav", "SS.wav"]
    for seed, name in enumerate(names):
        (tmp_path / "in" / name).write_bytes(wav(seed))
    places = all_done(tmp_path / "in", tmp_path / "out", len(names))
    assert set(places) == set(names)
    plain = {unicodedata.normalize("NFC", place).casefold() for place in places.values()}
    assert len(plain) == len(names)


@ON_LINUX
def test_names_with_blanks_breaks_dashes_and_bytes_that_are_no_text(tmp_path, wav, run_command):
    (tmp_path / "in").mkdir()
    odd = [
        "new\nline.wav",
        "-o.wav",
        "--help.wav",
        " blank .wav",
        "tab\t.wav",
        "a:b.wav",
        "a_b.wav",
        "%s{}.wav",
        "~.wav",
    ]
    odd += ["x..wav", "q?.wav", "q*.wav", os.fsdecode(b"caf\xe9.wav"), "\x7f.wav", "名前.wav", "🎤.wav"]
    (tmp_path / "in" / "dir. ").mkdir()
    for seed, name in enumerate([*odd, "dir. /x.wav"]):
        (tmp_path / "in" / name).write_bytes(wav(seed))
    places = all_done(tmp_path / "in", tmp_path / "out", len(odd) + 1)
    assert set(places) == {*odd, "dir. /x.wav"}
    for place in places.values():
        assert not set(place) & set('\n\t\x7f<>:"|?*\\')
        assert all(part[-1] not in ". " for part in Path(place).parts)
        place.encode("utf-8")
    for row in lines(tmp_path / "out" / "manifest.jsonl"):
        assert Path(row["unmuffle"]["source"]).exists()
    told = run_command("corpus", "run", tmp_path / "in", "-o", tmp_path / "other", "--dry-run")
    assert (told.returncode, len(told.stdout.splitlines())) == (0, len(odd) + 1)


@ON_LINUX
def test_the_longest_names_there_are(tmp_path, wav):
    deep = tmp_path / "in"
    longest = [("n" * 251 + ".wav"), ("é" * 125 + "x.wav"), ("N" * 251 + ".wav"), ("n" * 250 + "m.wav")]
    deep.mkdir()
    for seed, name in enumerate(longest):
        (deep / name).write_bytes(wav(seed))
    all_done(deep, tmp_path / "same", 4)
    # One letter more in the extension.
    all_done(deep, tmp_path / "flac", 4, suffix="flac")
    (tmp_path / "list.jsonl").write_text(
        "\n".join(
            json.dumps({"audio_filepath": f"in/{name}", "offset": 0.1, "duration": 0.1 + part})
            for name in longest
            for part in (0.1, 0.2)
        )
    )
    all_done(tmp_path / "list.jsonl", tmp_path / "spans", 8)


@ON_LINUX
def test_a_path_that_the_destination_makes_too_long_is_that_clips_fault_alone(tmp_path, wav):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.wav").write_bytes(wav())
    here = Path.cwd()
    os.chdir(folder)
    try:
        # Deeper than a path can name from the root: only step by step.
        for _ in range(15):
            Path("d" * 250).mkdir()
            os.chdir("d" * 250)
        Path("deep.wav").write_bytes(wav())
    finally:
        os.chdir(here)
    out = tmp_path / ("o" * 250)
    report = run(folder, out, **QUICK)
    assert (report.done, report.failed, report.left) == (1, 1, 0)
    (row,) = lines(out / "quarantine.jsonl")
    assert "too long" in row["unmuffle"]["message"]


def test_paths_that_lead_out_stay_in(tmp_path, wav):
    (tmp_path / "set" / "deep").mkdir(parents=True)
    (tmp_path / "x.wav").write_bytes(wav())
    rows = ["../x.wav", "deep/../../x.wav", str(tmp_path / "x.wav"), "./deep/..//../x.wav"]
    (tmp_path / "set" / "list.jsonl").write_text(
        "\n".join(json.dumps({"path": path, "id": str(number)}) for number, path in enumerate(rows))
    )
    out = tmp_path / "out"
    report = run(tmp_path / "set" / "list.jsonl", out, **QUICK)
    assert (report.done, report.failed) == (4, 0)
    assert (tmp_path / "x.wav").read_bytes() == wav()
    with tarfile.open(tmp_path / "s.tar", "w") as archive:
        for name in ("../../up.wav", "/root.wav", "a/../b.wav", ".unmuffle/journal.wav", "./c.wav"):
            head = tarfile.TarInfo(name)
            head.size = len(wav())
            archive.addfile(head, io.BytesIO(wav()))
    report = run(tmp_path / "s.tar", tmp_path / "out2", **QUICK)
    assert (report.done, report.failed) == (5, 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out2", "s.tar", "set", "x.wav"]


@pytest.mark.parametrize("path", ["..", "/", ".", "a/..", "x" * 5000 + ".wav", "a\x00b.wav"])
def test_rows_that_name_no_file_are_failures_of_their_own(tmp_path, wav, path):
    (tmp_path / "a.wav").write_bytes(wav())
    rows = [{"path": "a.wav"}, {"path": path}]
    (tmp_path / "list.jsonl").write_text("\n".join(map(json.dumps, rows)))
    report = run(tmp_path / "list.jsonl", tmp_path / "out", **QUICK)
    assert (report.done, report.failed, report.left) == (1, 1, 0)
    assert lines(tmp_path / "out" / "quarantine.jsonl")[0]["unmuffle"]["message"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_in_a_circle_are_walked_once(tmp_path, wav):
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.wav").write_bytes(wav())
    (folder / "deep" / "up").symlink_to("..")
    (folder / "own.wav").symlink_to("own.wav")
    (folder / "nowhere.wav").symlink_to("gone.wav")
    report = run(folder, tmp_path / "out", **QUICK)
    assert (report.done, report.failures) == (1, {"missing": 2})
    assert [clip.key for clip in clips_of(str(folder / "**" / "*.wav"), tmp_path / "out")] == ["deep/a.wav"]


def test_hidden_files_are_no_clips(tmp_path, wav):
    (tmp_path / "in").mkdir()
    for name in ("a.wav", "._a.wav", ".unmuffle-0123456789abcdef.wav"):
        (tmp_path / "in" / name).write_bytes(wav())
    assert [clip.key for clip in clips_of(tmp_path / "in", tmp_path / "out")] == ["a.wav"]


@pytest.mark.parametrize("source", ["in", "in/**/*.wav"])
def test_a_destination_within_the_source_is_no_part_of_it(tmp_path, wav, source):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for seed, name in enumerate(("a.wav", "deep/b.wav")):
        (tmp_path / "in" / name).write_bytes(wav(seed))
    for _ in range(2):
        all_done(str(tmp_path / source), tmp_path / "in" / "clear", 2)


def test_no_result_takes_the_place_of_its_source(tmp_path, wav):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.wav").write_bytes(wav())
    (folder / "list.jsonl").write_text('{"path": "a.wav"}\n')
    shutil.copy(folder / "list.jsonl", folder / "manifest.jsonl")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (tmp_path / "link").symlink_to("in")
    for source in ("in", "in/*.wav", "in/list.jsonl", "in/manifest.jsonl", "in/a.wav"):
        for out in ("in", "link"):
            with (
                pytest.raises(InvalidParameterError, match="give another"),
                outlook(str(tmp_path / source), tmp_path / out, **QUICK) as found,
            ):
                list(found)
            with pytest.raises(InvalidParameterError, match="give another"):
                run(str(tmp_path / source), tmp_path / out, **QUICK)
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_a_blink_and_a_long_recording_in_one_corpus(tmp_path, noisy_speech):
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "blink.wav", noisy_speech(8000, seconds=0.05).T, 8000)
    long = np.tile(noisy_speech(8000, seconds=10.0), 60)
    soundfile.write(tmp_path / "in" / "long.flac", long.T, 8000)
    for name, measures in (("plain", ()), ("measured", None)):
        report = run(tmp_path / "in", tmp_path / name, measures=measures, options=RunOptions(workers=1))
        assert (report.done, report.seconds) == (2, 600.05)
        rows = {row["id"]: row["unmuffle"] for row in lines(tmp_path / name / "manifest.jsonl")}
        assert soundfile.info(tmp_path / name / "long.flac").frames == long.shape[1]
    assert "estimated_snr_db" in rows["blink.wav"]["not_measured"]
    assert "estimated_snr_db" in rows["long.flac"]["before"]


@pytest.fixture
def nothing_left_open():
    yield
    last_source.close_last()


@pytest.mark.usefixtures("nothing_left_open")
def test_spans_of_one_file_are_decoded_once_where_it_cannot_be_jumped_in(tmp_path, noisy_speech, monkeypatch):
    soundfile.write(tmp_path / "x.mp3", noisy_speech(RATE, seconds=60.0).T, RATE, format="MP3")
    with av.open(str(tmp_path / "x.mp3")) as container:
        whole = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)[0]
    rows = [{"path": "x.mp3", "offset": 0.75 * number, "duration": 0.5} for number in range(78)]
    (tmp_path / "list.jsonl").write_text("\n".join(map(json.dumps, rows)))
    decoded = 0
    real = AudioReader._next_chunk

    def counted(self, frames):
        nonlocal decoded
        chunk = real(self, frames)
        decoded += chunk.shape[1]
        return chunk

    monkeypatch.setattr(AudioReader, "_next_chunk", counted)
    clips = list(clips_of(tmp_path / "list.jsonl", tmp_path / "out"))
    for clip in [*clips, clips[7], clips[3], clips[4]]:
        with audio_at_hand(clip, tmp_path / "scratch") as path:
            found, _ = soundfile.read(path, dtype="float32")
        start = round(clip.span_s[0] * RATE)
        np.testing.assert_array_equal(found, whole[start : start + RATE // 2])
        if clip is clips[-1]:
            assert decoded <= len(whole)
    assert not list(tmp_path.glob("scratch*"))


@pytest.mark.usefixtures("nothing_left_open")
def test_what_a_url_holds_is_fetched_once_for_all_its_spans(tmp_path, wav, monkeypatch):
    pytest.importorskip("fsspec")
    (tmp_path / "x.wav").write_bytes(wav(seconds=3.0))
    url = f"file://{tmp_path}/x.wav"
    rows = [{"path": url, "offset": 0.1 * number, "duration": 0.1} for number in range(20)]
    (tmp_path / "list.jsonl").write_text("\n".join(map(json.dumps, rows)))
    opened = []
    real = last_source.open_url
    monkeypatch.setattr(last_source, "open_url", lambda name: opened.append(name) or real(name))
    source, _ = soundfile.read(tmp_path / "x.wav")
    (tmp_path / "work").mkdir()
    for clip in clips_of(tmp_path / "list.jsonl", tmp_path / "out"):
        with audio_at_hand(clip, tmp_path / "work" / "scratch") as path:
            found, _ = soundfile.read(path)
        start = round(clip.span_s[0] * RATE)
        np.testing.assert_array_equal(found, source[start : start + RATE // 10])
    assert opened == [url]


ALONE = ["unshare", "-rm"]
MOUNTS = """
import json, subprocess, sys
from pathlib import Path
corpus, out = sys.argv[1:]
run = [sys.executable, "-m", "unmuffle", "corpus", "run", corpus, "-o", out]
run += ["--method", "wiener", "--measure", "none", "--workers", "2"]
status = [sys.executable, "-m", "unmuffle", "corpus", "status", out, "--json"]
def mount(*options):
    subprocess.run(["mount", *options, out], check=True)
def call(command):
    done = subprocess.run(command, capture_output=True, text=True)
    return [done.returncode, done.stdout, done.stderr]
def results():
    return sorted(path.name for path in Path(out).glob("*.wav"))
"""


def in_own_mounts(corpus, out, script):
    """Run a script in a process that may mount what nobody else sees, and return what it prints as JSON."""
    if (
        shutil.which("unshare") is None
        or subprocess.run([*ALONE, "mount", "-t", "tmpfs", "x", out], capture_output=True).returncode
    ):
        pytest.skip("no file systems can be mounted here")
    command = [*ALONE, sys.executable, "-c", MOUNTS + script, corpus, out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def many(tmp_path, wav):
    for folder in ("in", "out"):
        (tmp_path / folder).mkdir()
    for seed in range(30):
        (tmp_path / "in" / f"{seed:02d}.wav").write_bytes(wav(seed, seconds=3.0))
    return tmp_path / "in", tmp_path / "out"


@ON_LINUX
def test_a_disk_that_is_full_in_mid_run_stops_it_and_loses_nothing(many):
    first, told, left, again, verified, files = in_own_mounts(
        *many,
        """
mount("-t", "tmpfs", "-o", "size=1500k", "tmpfs")
first, told, left = call(run), json.loads(call(status)[1]), results()
mount("-o", "remount,size=64m")
again = call(run)
verified = call([*run[:4], "verify", out])
files = sorted(path.name for path in Path(out).rglob("*"))
print(json.dumps([first, told, left, again, verified, files]))
""",
    )
    assert first[0] == 1
    assert first[2].startswith("unmuffle: ")
    assert "the disk is full" in first[2]
    assert len(first[2].splitlines()) == 1
    assert 0 < told["done"] < 30
    assert (told["failed"], told["done"] + told["left"]) == (0, 30)
    # The one that was moved into its place as the disk filled may not be noted.
    assert told["done"] <= len(left) <= told["done"] + 2
    assert again[0] == 0, again[2]
    assert verified[0] == 0
    assert [name for name in files if name.endswith(".wav")] == sorted(path.name for path in many[0].iterdir())
    assert not [name for name in files if name.startswith(".unmuffle-")]


@ON_LINUX
def test_a_destination_that_is_read_only_is_told_and_may_still_be_looked_at(many):
    refused, done, locked, told, verified, planned = in_own_mounts(
        *many,
        """
mount("-t", "tmpfs", "-o", "size=64m,ro", "tmpfs")
refused = call(run)
mount("-o", "remount,rw")
done = call(run)
mount("-o", "remount,ro")
locked, told = call(run), call(status)
verified, planned = call([*run[:4], "verify", out]), call([*run, "--dry-run"])
print(json.dumps([refused, done, locked, told, verified, planned]))
""",
    )
    assert done[0] == 0, done[2]
    for code, _, message in (refused, locked):
        assert code == 1
        assert "cannot be" in message
        assert len(message.splitlines()) == 1
    assert json.loads(told[1])["done"] == 30
    assert verified[0] == 0
    assert "30 are done" in planned[2]
