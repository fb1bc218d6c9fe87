"""The journal: what is done stays done, what changed is done again, and one run is at work at a time."""

from __future__ import annotations

import os
import sqlite3

import pytest

from unmuffle.corpus.clip import Clip
from unmuffle.corpus.journal import Journal
from unmuffle.errors import AudioFileError, InvalidParameterError


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
