"""From what a user names to which file is written where."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from unmuffle.corpus import plan_tasks
from unmuffle.errors import AudioFileError, InvalidParameterError


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with recordings, and other things, in it; the plan reads no file, so they may be of anything."""
    names = ("talk.wav", "music.MP3", "notes.txt", "week/monday.flac", "week/late/film.mkv", ".hidden.wav")
    for name in (*names, "week/._talk.wav", ".trash/old.wav", "clean/one.wav"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12345")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pairs(*arguments, **options):
    return {
        os.path.relpath(task.source): os.path.relpath(task.destination) for task in plan_tasks(*arguments, **options)
    }


def test_a_result_lies_beside_its_source_by_default():
    assert pairs(["talk.wav", "week/monday.flac"]) == {
        "talk.wav": "talk.clear.wav",
        "week/monday.flac": "week/monday.clear.flac",
    }


def test_the_size_is_told_for_the_progress():
    assert [task.size for task in plan_tasks(["talk.wav"])] == [5]


def test_one_file_goes_to_a_file_or_into_a_folder():
    Path("there").mkdir()
    assert pairs(["talk.wav"], "out.flac") == {"talk.wav": "out.flac"}
    assert pairs(["talk.wav"], "there") == {"talk.wav": "there/talk.wav"}
    assert pairs(["talk.wav"], "not_yet/") == {"talk.wav": "not_yet/talk.wav"}


def test_a_folder_is_mirrored_without_hidden_files_and_what_is_no_recording():
    assert pairs(["."], "out") == {
        "talk.wav": "out/talk.wav",
        "music.MP3": "out/music.MP3",
        "clean/one.wav": "out/clean/one.wav",
        "week/monday.flac": "out/week/monday.flac",
        "week/late/film.mkv": "out/week/late/film.mkv",
    }


def test_a_folder_of_one_file_is_mirrored_too():
    assert pairs(["clean"], "out") == {"clean/one.wav": "out/one.wav"}


def test_results_of_many_folders_are_kept_apart():
    assert pairs(["week", "clean"], "out") == {
        "week/monday.flac": "out/week/monday.flac",
        "week/late/film.mkv": "out/week/late/film.mkv",
        "clean/one.wav": "out/clean/one.wav",
    }


def test_the_plan_of_a_folder_is_in_order():
    sources = [task.source for task in plan_tasks(["."])]
    assert sources == sorted(sources, key=lambda name: Path(name).parts)


def test_patterns_are_expanded():
    assert set(pairs(["*.wav"])) == {"talk.wav"}
    assert set(pairs(["**/*.flac"])) == {"week/monday.flac"}
    assert set(pairs([str(Path.cwd() / "week" / "*.fl?c")])) == {"week/monday.flac"}


def test_a_file_whose_name_looks_like_a_pattern_is_that_file():
    Path("take[1].wav").write_bytes(b"")
    assert pairs(["take[1].wav"]) == {"take[1].wav": "take[1].clear.wav"}


def test_a_file_that_is_named_twice_is_done_once():
    assert list(pairs(["talk.wav", "*.wav", str(Path("talk.wav").resolve())])) == ["talk.wav"]


def test_results_of_an_earlier_run_are_not_enhanced_again():
    Path("week/monday.clear.flac").write_bytes(b"")
    Path("week/monday.clear.removed.flac").write_bytes(b"")
    Path("week/crystal.clear.flac").write_bytes(b"")
    assert set(pairs(["week"])) == {"week/monday.flac", "week/late/film.mkv", "week/crystal.clear.flac"}
    # Who names it means it.
    assert pairs(["week/monday.clear.flac"]) == {"week/monday.clear.flac": "week/monday.clear.clear.flac"}


def test_an_output_folder_inside_the_input_is_not_searched():
    expected = pairs(["week"], "week/out")
    Path("week/out/late").mkdir(parents=True)
    Path("week/out/monday.flac").write_bytes(b"")
    Path("week/out/late/film.mkv").write_bytes(b"")
    assert pairs(["week"], "week/out") == expected


@pytest.mark.parametrize("suffix", ["flac", ".flac"])
def test_another_format_is_another_extension(suffix):
    assert pairs(["talk.wav"], suffix=suffix) == {"talk.wav": "talk.clear.flac"}
    assert pairs(["week"], "out", suffix=suffix)["week/late/film.mkv"] == "out/late/film.flac"


def test_what_was_removed_goes_beside_the_result():
    assert [task.removed for task in plan_tasks(["talk.wav"])] == [None]
    assert [task.removed for task in plan_tasks(["talk.wav"], save_removed=True)] == ["talk.clear.removed.wav"]
    assert [task.removed for task in plan_tasks(["-"], "a/out.wav", save_removed=True)] == ["a/out.removed.wav"]
    flac = plan_tasks(["talk.wav"], "out.wav", save_removed=True, suffix="flac")
    assert [(task.destination, task.removed) for task in flac] == [("out.flac", "out.removed.flac")]


def test_standard_input_goes_to_standard_output_or_a_file():
    assert pairs(["-"]) == {"-": "-"}
    assert pairs(["-"], "-") == {"-": "-"}
    assert pairs(["-"], "out.wav") == {"-": "out.wav"}
    assert pairs(["-"], "out.wav", suffix="flac") == {"-": "out.flac"}
    assert pairs(["talk.wav"], "-") == {"talk.wav": "-"}


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([],), {}, "at least one"),
        ((["-", "talk.wav"],), {}, "standard input.*alone"),
        ((["-"],), {"save_removed": True}, "name an output file"),
        ((["talk.wav"], "-"), {"save_removed": True}, "name an output file"),
        ((["talk.wav"], "-"), {"suffix": "flac"}, "WAV, not flac"),
        ((["-"],), {"suffix": "flac"}, "WAV, not flac"),
        ((["talk.wav", "music.MP3"], "-"), {}, "one result, not 2"),
        ((["talk.wav", "music.MP3"], "notes.txt"), {}, "notes.txt is one file, but 2"),
        ((["talk.wav", "music.MP3"], "new.wav"), {}, "new.wav is one file, but 2"),
        ((["week"], "new.wav"), {}, "new.wav is one file"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, options, message):
    with pytest.raises(InvalidParameterError, match=message):
        plan_tasks(*arguments, **options)


def test_a_missing_file_is_that_tasks_own_trouble():
    assert [task.source for task in plan_tasks(["nowhere.wav", "talk.wav"])] == ["nowhere.wav", "talk.wav"]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (["*.aiff"], r"nothing matches the pattern \*\.aiff"),
        ([".trash/empty"], "holds no audio"),
    ],
)
def test_what_is_not_there_is_named(inputs, message):
    Path(".trash/empty").mkdir()
    Path(".trash/empty/notes.txt").write_bytes(b"")
    with pytest.raises(AudioFileError, match=message):
        plan_tasks(inputs)


@pytest.mark.parametrize("other", ["week/talk.wav", "week/TALK.wav"])
def test_two_results_of_one_name_are_refused(other):
    Path(other).write_bytes(b"")
    with pytest.raises(InvalidParameterError, match=rf"talk\.wav and {other} would both be written to out"):
        plan_tasks(["talk.wav", other], "out")


def test_two_results_that_differ_only_in_the_format_are_refused():
    Path("talk.flac").write_bytes(b"")
    with pytest.raises(InvalidParameterError, match="would both be written"):
        plan_tasks(["talk.wav", "talk.flac"], suffix="wav")
