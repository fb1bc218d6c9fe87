"""The journal: what is done stays done, what changed is done again, and one run is at work at a time."""

from __future__ import annotations

import os
import random
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from unmuffle.corpus.clip import Clip
from unmuffle.corpus.journal import Journal
from unmuffle.corpus.journal_file import is_held, lock_of
from unmuffle.errors import AudioFileError, InvalidParameterError

WORDS = ("some", "words", "that", "somebody", "said", "into", "a", "microphone")


@pytest.fixture
def clips(tmp_path):
    made = []
    for name in "abc":
        path = tmp_path / f"{name}.wav"
        path.write_bytes(name.encode())
        made.append(Clip(name, str(path), f"{name}.wav", {"text": name}))
    return made


@pytest.fixture
def path(tmp_path):
    return tmp_path / "dest" / ".unmuffle" / "journal.sqlite"


def test_a_plan_is_done_in_its_order_and_once(path, clips):
    with Journal(path) as journal:
        journal.plan(clips)
        assert list(journal.todo()) == clips
        journal.finish("b", {"duration_s": 2.0}, 2.0)
        journal.fail("c", "unreadable", "c.wav is not audio")
        assert [clip.key for clip in journal.todo()] == ["a"]
        journal.plan(clips)
        assert journal.counts() == {"todo": 1, "done": 1, "failed": 1}
        assert [(clip.key, record) for clip, record in journal.done()] == [("b", {"duration_s": 2.0})]
        assert [(clip.key, cause) for clip, cause, _ in journal.failed()] == [("c", "unreadable")]
        assert journal.failures() == {"unreadable": 1}
        assert journal.seconds() == 2.0


def test_it_outlives_the_process(path, clips):
    with Journal(path) as journal:
        journal.plan(clips)
        journal.settings = {"strength": 1.0}
        journal.finish("a", {"x": [1, None]}, 1.0)
    with Journal(path) as journal:
        assert journal.settings == {"strength": 1.0}
        assert [clip.key for clip in journal.todo()] == ["b", "c"]


def test_a_clip_whose_audio_changed_is_done_again(path, clips):
    with Journal(path) as journal:
        journal.plan(clips)
        for clip in clips:
            journal.finish(clip.key, {}, 1.0)
        changed = clips[1].source
        os.utime(changed, ns=(1, 1))
        journal.plan(clips)
        assert [clip.key for clip in journal.todo()] == ["b"]


def test_a_clip_whose_fields_changed_keeps_its_result_and_tells_the_new_ones(path, clips):
    with Journal(path) as journal:
        journal.plan(clips)
        journal.finish("a", {}, 1.0)
        journal.plan([Clip("a", clips[0].source, "a.wav", {"text": "new"}), *clips[1:]])
        ((clip, _),) = journal.done()
        assert clip.fields == {"text": "new"}


def test_a_clip_that_left_the_corpus_is_gone_and_may_come_back(path, clips):
    with Journal(path) as journal:
        journal.plan(clips)
        journal.finish("a", {}, 1.0)
        journal.plan(clips[1:])
        assert journal.counts() == {"todo": 2, "gone": 1}
        assert not list(journal.done())
        journal.plan(clips)
        assert [clip.key for clip in journal.todo()] == ["a", "b", "c"]


def test_names_that_differ_in_case_alone_get_results_of_their_own(path, clips):
    twins = [Clip("t", clips[0].source, "Talk.wav"), Clip("u", clips[1].source, "talk.WAV")]
    with Journal(path) as journal:
        journal.plan(twins)
        first, second = (clip.output for clip in journal.todo())
        journal.plan(twins)
        assert [clip.output for clip in journal.todo()] == [first, second]
    assert first == "Talk.wav"
    assert second.startswith("talk~")
    assert first.casefold() != second.casefold()


def test_a_name_that_looks_like_a_marked_one_is_taken_as_well(path, clips):
    twins = [Clip(key, clips[0].source, "talk.wav") for key in "tu"]
    with Journal(path) as journal:
        journal.plan(twins)
        _, marked = journal.todo()
    others = [Clip("v", clips[0].source, marked.output), *twins]
    with Journal(path.parent / "other" / "journal.sqlite") as journal:
        foreseen = [clip.output for clip, _ in journal.foresee(others)]
        journal.plan(others)
        names = [clip.output for clip in journal.todo()]
    assert len(set(names)) == 3
    assert names[:2] == [marked.output, "talk.wav"]
    assert foreseen == names


def test_two_clips_of_one_name_are_refused_and_nothing_of_their_page_planned(path, clips):
    twins = [*clips, Clip("a", clips[1].source, "other.wav")]
    with Journal(path) as journal:
        with pytest.raises(InvalidParameterError, match="both called 'a'"):
            journal.plan(twins)
        assert journal.counts() == {}


def test_failed_clips_are_done_again_on_request(path, clips):
    with Journal(path) as journal:
        journal.plan(clips)
        journal.fail("c", "died", "out of memory, perhaps")
        assert journal.redo("failed") == 1
        assert [clip.key for clip in journal.todo()] == ["a", "b", "c"]


def test_more_clips_than_a_page_are_planned_and_yielded_while_others_are_noted(path):
    many = [Clip(f"{number:05d}", f"/gone/{number}.wav", f"{number}.wav") for number in range(2500)]
    with Journal(path) as journal:
        journal.plan(iter(many))
        seen = []
        for clip in journal.todo():
            seen.append(clip.key)
            journal.finish(clip.key, {}, 0.5)
        assert seen == [clip.key for clip in many]
        assert journal.counts() == {"done": 2500}


def test_one_run_is_at_work_at_a_time_and_others_may_look(path, clips):
    with Journal(path) as journal:
        journal.plan(clips)
        with pytest.raises(InvalidParameterError, match="another run is at work"):
            Journal(path).__enter__()
        with Journal(path, writes=False) as looker:
            assert looker.counts() == {"todo": 3}
    with Journal(path):
        pass


def test_a_folder_without_a_run_and_a_file_that_is_no_journal_are_told(tmp_path, path):
    with pytest.raises(AudioFileError, match="holds no corpus run"):
        Journal(path, writes=False)
    path.parent.mkdir(parents=True)
    path.write_text("no database, and long enough to be read as one" * 100)
    with pytest.raises(AudioFileError, match="cannot be used as a journal"):
        Journal(path).__enter__()


def test_a_journal_of_another_version_is_told(path):
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        db.execute("INSERT INTO settings VALUES ('format', '999')")
    db.close()
    with pytest.raises(AudioFileError, match="another version"):
        Journal(path).__enter__()


def test_a_journal_that_is_damaged_while_it_is_read_is_told(path, clips):
    with Journal(path) as journal:
        journal.plan(clips)
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE clips")
    db.close()
    with pytest.raises(AudioFileError, match="cannot be used: no such table"), Journal(path, writes=False) as journal:
        journal.counts()


def test_the_plan_before_holds_until_a_new_one_is_whole(path, clips):
    def breaking_off():
        yield from clips[:2]
        raise KeyboardInterrupt

    many = [Clip(f"{number:05d}", str(path), f"{number}.wav", stamp="1") for number in range(2500)]

    def late():
        yield from many
        with Journal(path, writes=False) as looker:
            seen.append((looker.counts(), looker.planning()))
        raise KeyboardInterrupt

    seen = []
    with Journal(path) as journal:
        journal.plan(clips)
        journal.finish("a", {}, 1.0)
        with pytest.raises(KeyboardInterrupt):
            journal.plan(breaking_off())
        assert journal.counts() == {"todo": 2, "done": 1}
        with pytest.raises(KeyboardInterrupt):
            journal.plan(late())
        assert seen == [({"todo": 2, "done": 1}, 2000)]
        assert [clip.key for clip in journal.todo()] == ["b", "c"]
        journal.plan(clips[1:])
        assert journal.planning() == 0
        assert journal.counts() == {"todo": 2, "gone": 2001}


def test_a_corpus_that_was_moved_is_the_same_one(path, clips, tmp_path):
    with Journal(path) as journal:
        journal.plan(clips)
        for clip in clips:
            journal.finish(clip.key, {}, 1.0)
        (tmp_path / "elsewhere").mkdir()
        moved = [replace(clip, source=str(tmp_path / "elsewhere" / f"{clip.key}.wav")) for clip in clips]
        for before, after in zip(clips, moved, strict=True):
            Path(before.source).rename(after.source)
        os.utime(moved[1].source, ns=(7, 7))
        journal.plan(moved)
        assert [clip.source for clip in journal.todo()] == [moved[1].source]
        assert [clip.source for clip, _ in journal.done()] == [moved[0].source, moved[2].source]


def test_urls_of_which_nothing_is_known_are_told_apart_by_their_address(path):
    with Journal(path) as journal:
        journal.plan([Clip("a", "memory://one.wav", "a.wav")])
        journal.finish("a", {}, 1.0)
        journal.plan([Clip("a", "memory://one.wav", "a.wav")])
        assert journal.counts() == {"done": 1}
        journal.plan([Clip("a", "memory://two.wav", "a.wav")])
        assert journal.counts() == {"todo": 1}


def test_records_come_back_as_they_were_given(path, clips):
    record = {"text": "ü\udcff\n\u2028", "list": [1, -0.1, 1e-300, None, True, {"x": []}], "long": "words " * 1000}
    fields = {"ключ": "значение", "n": 1.5, "none": None, "deep": {"a": [1]}}
    with Journal(path) as journal:
        journal.plan([*clips, Clip("odd \udcff\n", "/x\udcff.wav", "x.wav", fields, (0.1, 0.25), None, "s")])
        journal.finish("a", {"first": "quite another"}, 1.0)
        journal.finish("odd \udcff\n", record, 1.0)
    with Journal(path, writes=False) as journal:
        *_, (clip, found) = journal.done()
        assert found == record
        assert (clip.key, clip.fields, clip.span_s, clip.source) == (
            "odd \udcff\n",
            fields,
            (0.1, 0.25),
            "/x\udcff.wav",
        )


def test_a_clip_takes_some_hundred_bytes_and_notes_take_no_more_as_it_grows(path):
    rng = random.Random(1)

    def clips():
        for number in range(20_000):
            name = f"speaker-{number % 500:03d}/utterance-{number:07d}.flac"
            text = " ".join(rng.choices(WORDS, k=12))
            yield Clip(
                name, f"/data/{name}", name, {"audio_filepath": name, "duration": 6.0, "text": text}, stamp="1 2"
            )

    def record():
        measured = {name: rng.uniform(-30, 30) for name in ("estimated_snr_db", "loudness_lufs", "artefact_score")}
        checksums = {name: rng.randbytes(32).hex() for name in ("source_sha256", "output_sha256")}
        return {"duration_s": 6.0, "verdict": "enhanced", "before": measured, "after": measured, **checksums}

    with Journal(path) as journal:
        journal.plan(clips())
        for clip in journal.todo():
            journal.finish(clip.key, record(), 6.0)
    assert sum(file.stat().st_size for file in path.parent.iterdir()) < 550 * 20_000


def test_kinds_of_fault_come_with_an_example_the_most_common_first(path, clips):
    with Journal(path) as journal:
        journal.plan(clips)
        journal.fail("a", "missing", "a.wav does not exist")
        journal.fail("b", "unreadable", "b.wav is not audio")
        journal.fail("c", "unreadable", "c.wav is not audio")
        assert list(journal.faults()) == [
            ("unreadable", 2, "b.wav is not audio"),
            ("missing", 1, "a.wav does not exist"),
        ]


def test_whether_a_run_is_at_work_can_be_told_from_outside(path, clips):
    lock = lock_of(path)
    assert not is_held(lock)
    with Journal(path):
        assert is_held(lock)
    assert not is_held(lock)
