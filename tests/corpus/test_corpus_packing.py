"""Shards hold what a run left, whole and the same each time, and every reader of shards takes them."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time

import pytest
import soundfile

from unmuffle import Enhancer
from unmuffle.corpus import Clip, RunOptions, clips_of, pack, run
from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.measure.assurance.gate import QualityGate
from unmuffle.measure.assurance.rules import Rule, Threshold

RATE = 16_000
QUICK = {"enhancer": Enhancer("wiener"), "measures": (), "options": RunOptions(workers=1)}
LOUD_ONLY = QualityGate((Rule((Threshold("loudness_lufs", "before", minimum=-40.0),)),))


def members(path):
    with tarfile.open(path) as archive:
        return {item.name: archive.extractfile(item).read() for item in archive}


def as_flac(noisy_speech, seed, gain=1.0):
    held = io.BytesIO()
    soundfile.write(held, gain * noisy_speech(RATE, seconds=0.8, seed=seed).T, RATE, format="FLAC")
    return held.getvalue()


def write_tar(path, *named):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in named:
            head = tarfile.TarInfo(name)
            head.size, head.mtime, head.uname = len(content), 1_700_000_000, "somebody"
            archive.addfile(head, io.BytesIO(content))


@pytest.fixture
def folder_corpus(tmp_path, noisy_speech, write_file):
    folder = tmp_path / "corpus"
    rows = []
    for seed, name in enumerate(("b.wav", "deep/a.v1.flac", "deep/a_v1.flac", "ü ß.wav", "z.wav")):
        write_file(folder / name, noisy_speech(RATE, seconds=0.8, seed=seed), RATE)
        rows.append({"audio_filepath": name, "text": f"wörd {seed}", "speaker": seed})
    del rows[-1]["text"]
    (folder / "train.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder / "train.jsonl"


@pytest.fixture
def shard_corpus(tmp_path, noisy_speech):
    for number in range(2):
        write_tar(
            tmp_path / "in" / f"s-{number}.tar",
            ("notes.md", b"no clip"),
            ("b/2.flac", as_flac(noisy_speech, 10 * number)),
            ("b/2.json", b'{"speaker":  3 }\n'),
            ("b/2.txt", b"hello \xff\n"),
            ("a/1.cls", b"7"),
            ("a/1.flac", as_flac(noisy_speech, 10 * number + 1, gain=1e-4)),
            ("a/1.txt", b"quiet"),
            ("a/0.json", b"{}"),
            ("a/0.flac", b"no sound"),
            ("c/" + 30 * "long " + "é.flac", as_flac(noisy_speech, 10 * number + 2)),
        )
    return str(tmp_path / "in" / "s-*.tar")


def test_clips_of_a_manifest_become_samples_with_row_and_text(folder_corpus, tmp_path):
    out, shards = tmp_path / "out", tmp_path / "shards"
    run(folder_corpus, out, **QUICK)
    report = pack(out, shards, clips_per_shard=2)
    assert (report.shards, report.written, report.clips, report.left_out) == (3, 3, 5, 0)
    assert sorted(path.name for path in shards.glob("shard-*.tar")) == [
        f"shard-{number:06d}.tar" for number in range(3)
    ]
    packed = [members(shards / f"shard-{number:06d}.tar") for number in range(3)]
    assert list(packed[0]) == ["b.wav", "b.json", "b.txt", "deep/a_v1.flac", "deep/a_v1.json", "deep/a_v1.txt"]
    assert packed[0]["b.wav"] == (out / "b.wav").read_bytes()
    assert packed[0]["b.txt"].decode() == "wörd 0"
    assert list(packed[2]) == ["z.wav", "z.json"]
    rows = [json.loads(line) for line in (out / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    assert json.loads(packed[1]["ü ß.json"]) == rows[3]


def test_samples_of_one_shard_never_share_a_name(folder_corpus, tmp_path):
    run(folder_corpus, tmp_path / "out", **QUICK)
    pack(tmp_path / "out", tmp_path / "shards")
    names = [name for name in members(tmp_path / "shards" / "shard-000000.tar") if name.endswith(".flac")]
    assert names[0] == "deep/a_v1.flac"
    assert names[1].startswith("deep/a_v1~")


def test_shards_come_back_with_all_but_the_audio_as_it_was(shard_corpus, tmp_path):
    out, shards = tmp_path / "out", tmp_path / "shards"
    report = run(shard_corpus, out, **QUICK | {"gate": LOUD_ONLY, "otherwise": "reject"})
    assert (report.done, report.failed) == (6, 2)
    packed = pack(out, shards)
    assert (packed.shards, packed.clips, packed.left_out) == (2, 4, 4)
    before, after = members(tmp_path / "in" / "s-1.tar"), members(shards / "s-1.tar")
    # The clip that was rejected and the one that failed are gone with all that stood beside them.
    assert list(after) == [name for name in before if not name.startswith("a/")]
    for name, content in after.items():
        if name.endswith(".flac"):
            assert content == (out / "s-1" / name).read_bytes()
        else:
            assert content == before[name]


def test_another_format_changes_the_ending_alone(shard_corpus, tmp_path):
    run(shard_corpus, tmp_path / "out", **QUICK | {"suffix": "wav"})
    pack(tmp_path / "out", tmp_path / "shards")
    names = list(members(tmp_path / "shards" / "s-0.tar"))
    assert names[:4] == ["notes.md", "b/2.wav", "b/2.json", "b/2.txt"]
    assert names[-1] == "c/" + 30 * "long " + "é.wav"


def test_two_recordings_of_one_sample_keep_names_of_their_own(noisy_speech, tmp_path):
    wav = io.BytesIO()
    soundfile.write(wav, noisy_speech(RATE, seconds=0.8).T, RATE, format="WAV")
    write_tar(tmp_path / "s.tar", ("a.flac", as_flac(noisy_speech, 0)), ("a.wav", wav.getvalue()))
    run(tmp_path / "s.tar", tmp_path / "out", **QUICK | {"suffix": "flac"})
    pack(tmp_path / "out", tmp_path / "shards")
    assert list(members(tmp_path / "shards" / "s.tar")) == ["a.flac", "a.wav.flac"]


def test_shards_of_one_name_in_two_folders_stay_apart(noisy_speech, tmp_path):
    for part in ("train", "test"):
        write_tar(tmp_path / "in" / part / "s-0.tar", (f"{part}.flac", as_flac(noisy_speech, 1)))
    run(str(tmp_path / "in" / "**" / "*.tar"), tmp_path / "out", **QUICK)
    pack(tmp_path / "out", tmp_path / "shards")
    for part in ("train", "test"):
        assert list(members(tmp_path / "shards" / part / "s-0.tar")) == [f"{part}.flac"]


def test_the_same_results_give_the_same_bytes_and_are_left_as_they_are(folder_corpus, tmp_path):
    run(folder_corpus, tmp_path / "out", **QUICK)
    for name in ("one", "two"):
        pack(tmp_path / "out", tmp_path / name, clips_per_shard=2)
    shards = sorted((tmp_path / "one").glob("*.tar"))
    assert all(shard.read_bytes() == (tmp_path / "two" / shard.name).read_bytes() for shard in shards)
    times = [shard.stat().st_mtime_ns for shard in shards]
    assert pack(tmp_path / "out", tmp_path / "one", clips_per_shard=2).written == 0
    assert [shard.stat().st_mtime_ns for shard in shards] == times
    shards[1].write_bytes(b"damage")
    shards[2].unlink()
    assert pack(tmp_path / "out", tmp_path / "one", clips_per_shard=2).written == 2
    assert all(shard.read_bytes() == (tmp_path / "two" / shard.name).read_bytes() for shard in shards)


def test_what_changed_is_packed_again_and_what_is_left_over_removed(folder_corpus, tmp_path, noisy_speech, write_file):
    run(folder_corpus, tmp_path / "out", **QUICK)
    pack(tmp_path / "out", tmp_path / "shards", clips_per_shard=2)
    write_file(folder_corpus.parent / "z.wav", noisy_speech(RATE, seconds=0.9, seed=77), RATE)
    run(folder_corpus, tmp_path / "out", **QUICK)
    assert pack(tmp_path / "out", tmp_path / "shards", clips_per_shard=2).written == 1
    (tmp_path / "shards" / "mine.tar").write_bytes(b"not ours")
    report = pack(tmp_path / "out", tmp_path / "shards", clips_per_shard=5)
    assert (report.shards, report.removed) == (1, 2)
    assert sorted(path.name for path in (tmp_path / "shards").glob("*.tar")) == ["mine.tar", "shard-000000.tar"]


def test_the_list_of_shards_tells_sizes_and_checksums(folder_corpus, tmp_path):
    import hashlib

    run(folder_corpus, tmp_path / "out", **QUICK)
    pack(tmp_path / "out", tmp_path / "shards", clips_per_shard=3)
    lines = [json.loads(line) for line in (tmp_path / "shards" / "shards.jsonl").read_text().splitlines()]
    assert [(line["shard"], line["clips"]) for line in lines] == [("shard-000000.tar", 3), ("shard-000001.tar", 2)]
    for line in lines:
        content = (tmp_path / "shards" / line["shard"]).read_bytes()
        assert (line["bytes"], line["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it leaves the archive open
def test_webdataset_reads_them(folder_corpus, shard_corpus, tmp_path):
    webdataset = pytest.importorskip("webdataset")
    run(folder_corpus, tmp_path / "out", **QUICK)
    pack(tmp_path / "out", tmp_path / "shards")
    found = list(webdataset.WebDataset(str(tmp_path / "shards" / "shard-000000.tar"), shardshuffle=False))
    assert len(found) == 5
    assert [item["__key__"] for item in found][0::3] == ["b", "ü ß"]
    assert [json.loads(item["json"])["speaker"] for item in found] == [0, 1, 2, 3, 4]
    audio, rate = soundfile.read(io.BytesIO(found[1]["flac"]))
    assert (len(audio), rate) == (0.8 * RATE, RATE)
    run(shard_corpus, tmp_path / "out2", **QUICK)
    pack(tmp_path / "out2", tmp_path / "shards2")
    theirs = list(webdataset.WebDataset(str(tmp_path / "shards2" / "s-1.tar"), shardshuffle=False))
    assert [set(item) - {"__key__", "__url__", "__local_path__"} for item in theirs] == [
        {"md"},
        {"flac", "json", "txt"},
        {"cls", "flac", "txt"},
        {"flac"},
    ]


def test_they_are_a_corpus_again(folder_corpus, tmp_path):
    run(folder_corpus, tmp_path / "out", **QUICK)
    pack(tmp_path / "out", tmp_path / "shards")
    found = list(clips_of(tmp_path / "shards" / "shard-000000.tar", tmp_path / "nowhere"))
    assert [clip.fields["speaker"] for clip in found] == [0, 1, 2, 3, 4]
    assert found[0].fields["txt"] == "wörd 0"
    assert run(tmp_path / "shards" / "shard-000000.tar", tmp_path / "again", **QUICK).done == 5
    assert pack(tmp_path / "again", tmp_path / "packed again").shards == 1


def test_a_run_that_is_not_at_its_end_is_not_packed(folder_corpus, tmp_path):
    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(folder_corpus, tmp_path / "out", **QUICK, told=stop)
    with pytest.raises(InvalidParameterError, match="not at its end"):
        pack(tmp_path / "out", tmp_path / "shards")
    assert not (tmp_path / "shards").exists()


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_damaged_results_are_not_packed(folder_corpus, tmp_path, damage):
    run(folder_corpus, tmp_path / "out", **QUICK)
    result = tmp_path / "out" / "ü ß.wav"
    if damage == "changed":
        content = bytearray(result.read_bytes())
        content[-1] ^= 1
        result.write_bytes(content)
    else:
        result.unlink()
    with pytest.raises(AudioFileError, match=r"ü ß\.wav .*verify --mend"):
        pack(tmp_path / "out", tmp_path / "shards", clips_per_shard=2)
    assert [path.name for path in sorted((tmp_path / "shards").glob("*.tar"))] == ["shard-000000.tar"]


def test_a_source_shard_that_changed_is_told(shard_corpus, tmp_path, noisy_speech):
    run(shard_corpus, tmp_path / "out", **QUICK)
    write_tar(tmp_path / "in" / "s-1.tar", ("other.flac", as_flac(noisy_speech, 9)))
    with pytest.raises(AudioFileError, match=r"s-1\.tar is not as it was"):
        pack(tmp_path / "out", tmp_path / "shards")


def test_source_shards_are_never_written_over(shard_corpus, tmp_path):
    before = (tmp_path / "in" / "s-0.tar").read_bytes()
    run(shard_corpus, tmp_path / "out", **QUICK)
    with pytest.raises(InvalidParameterError, match="pack into another folder"):
        pack(tmp_path / "out", tmp_path / "in")
    assert (tmp_path / "in" / "s-0.tar").read_bytes() == before


def test_clips_of_an_archive_have_to_follow_one_another(shard_corpus, tmp_path):
    mixed = sorted(clips_of(shard_corpus, tmp_path / "out"), key=lambda clip: clip.key[::-1])
    assert isinstance(mixed[0], Clip)
    run(mixed, tmp_path / "out", **QUICK)
    with pytest.raises(InvalidParameterError, match="do not follow one another"):
        pack(tmp_path / "out", tmp_path / "shards")


def test_a_number_of_clips_below_one_is_refused(tmp_path):
    with pytest.raises(InvalidParameterError, match="clips_per_shard is 0"):
        pack(tmp_path, tmp_path, clips_per_shard=0)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_killed_at_any_moment_it_goes_on(tmp_path, noisy_speech, write_file):
    for seed in range(60):
        write_file(tmp_path / "in" / f"{seed:02d}.wav", noisy_speech(RATE, seconds=4.0, seed=seed % 5), RATE)
    run(tmp_path / "in", tmp_path / "out", **QUICK)
    pack(tmp_path / "out", tmp_path / "whole", clips_per_shard=2)
    shards = tmp_path / "shards"
    command = [sys.executable, "-m", "unmuffle", "corpus", "pack", tmp_path / "out", "-o", shards]
    for wanted in (1, 6, 15):
        process = subprocess.Popen([*command, "--clips-per-shard", "2"], stderr=subprocess.DEVNULL)
        until = time.monotonic() + 60.0
        while len(list(shards.glob("shard-*.tar"))) < wanted and process.poll() is None and time.monotonic() < until:
            time.sleep(0.001)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        for shard in shards.glob("shard-*.tar"):
            assert shard.read_bytes() == (tmp_path / "whole" / shard.name).read_bytes()
    there = len(list(shards.glob("shard-*.tar")))
    report = pack(tmp_path / "out", shards, clips_per_shard=2)
    assert report.shards == 30
    # A shard that was in place when its line was not yet written is written once more.
    assert 30 - there <= report.written <= 30 - there + 1
    assert sorted(path.name for path in shards.iterdir() if path.name != ".unmuffle") == sorted(
        path.name for path in (tmp_path / "whole").iterdir() if path.name != ".unmuffle"
    )


def test_from_the_command_line(folder_corpus, tmp_path, run_command):
    run(folder_corpus, tmp_path / "out", **QUICK)
    packed = run_command("corpus", "pack", tmp_path / "out", "-o", tmp_path / "shards", "--clips-per-shard", "2")
    assert packed.returncode == 0, packed.stderr
    assert b"5 clips in 3 shards" in packed.stderr
    again = run_command(
        "corpus", "pack", tmp_path / "out", "-o", tmp_path / "shards", "--clips-per-shard", "2", "--json"
    )
    assert json.loads(again.stdout)["written"] == 0
    nothing = run_command("corpus", "pack", tmp_path, "-o", tmp_path / "shards")
    assert nothing.returncode == 1
    assert b"holds no corpus run" in nothing.stderr
