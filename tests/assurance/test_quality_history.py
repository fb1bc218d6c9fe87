"""A history keeps every entry whatever happens to the writer, and tells a drop from noise."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from assurance_rows import assessment, unmeasurable

from unmuffle import __version__
from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.measure.assurance.history import QualityHistory
from unmuffle.measure.assurance.trends import aggregate_entries, compare_entries, versions_in, worst_entries


def clips(values, key="si_sdr_db", enhancer="mine"):
    return [
        assessment({key: float(value)}, clip=f"clip {place}", enhancer=enhancer) for place, value in enumerate(values)
    ]


@pytest.fixture
def history(tmp_path):
    return QualityHistory(tmp_path / "quality.jsonl")


def test_entries_come_back_as_they_were(history):
    first = assessment({"si_sdr_db": 0.1 + 0.2}, {"si_sdr_db": 1e-300}, "a", failures={"stoi": "too short"})
    history.append([first, unmeasurable("ü\n\x00")], version="0.9", time=datetime(2030, 1, 2, tzinfo=timezone.utc))
    history.append([first])
    read = history.read()
    assert [entry.assessment.to_dict() for entry in read] == [
        item.to_dict() for item in (first, unmeasurable("ü\n\x00"), first)
    ]
    assert [entry.version for entry in read] == ["0.9", "0.9", __version__]
    assert read[0].time == "2030-01-02T00:00:00+00:00"
    assert abs(datetime.fromisoformat(read[2].time) - datetime.now(timezone.utc)) < timedelta(minutes=1)
    assert read[0].assessment.after.files["enhanced"] == "/audio/mine/a.wav"
    assert history.damaged == []


def test_every_line_is_plain_json_in_utf_8(history):
    history.append([assessment({"si_sdr_db": float("nan"), "stoi": 0.5}, clip="\udcff")])
    (line,) = history.path.read_bytes().splitlines()
    record = json.loads(line, parse_constant=pytest.fail)
    assert record["after"] == {"stoi": 0.5}


def test_entries_can_be_read_by_enhancer_and_version(history):
    history.append(clips([1.0], enhancer="a"), version="1")
    history.append(clips([2.0], enhancer="b"), version="1")
    history.append(clips([3.0], enhancer="a"), version="2")
    assert [entry.assessment.after.values["si_sdr_db"] for entry in history.read("a")] == [1.0, 3.0]
    assert [entry.assessment.after.values["si_sdr_db"] for entry in history.read(version="1")] == [1.0, 2.0]
    assert versions_in(history.read()) == ["1", "2"]


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_a_last_line_that_was_cut_short_is_named_and_costs_no_other(history, cut):
    history.append(clips([1.0, 2.0]))
    data = history.path.read_bytes()
    history.path.write_bytes(data[:-cut])
    kept = 2 if cut == 1 else 1
    assert len(history.read()) == kept
    assert len(history.damaged) == 2 - kept
    assert all("line 2, the last one, is damaged" in told for told in history.damaged)
    history.append(clips([3.0]))
    assert [entry.assessment.after.values["si_sdr_db"] for entry in history.read()] == [*[1.0, 2.0][:kept], 3.0]


def test_a_line_that_is_no_entry_is_named(history):
    history.append(clips([1.0]))
    with history.path.open("a") as file:
        file.write('[1]\n{"time": "yesterday"}\nnonsense\n\n')
    history.append(clips([2.0]))
    assert len(history.read()) == 2
    assert [told.split("line ")[1].split(" ")[0] for told in history.damaged] == ["2", "3", "4"]


def test_writers_at_the_same_time_lose_nothing(history):
    script = (
        "import sys; sys.path.insert(0, sys.argv[3])\n"
        "from assurance_rows import assessment\n"
        "from unmuffle.measure.assurance.history import QualityHistory\n"
        "for turn in range(20):\n"
        "    items = [assessment({'stoi': 0.5}, clip=f'{sys.argv[2]} {turn} {place}') for place in range(50)]\n"
        "    QualityHistory(sys.argv[1]).append(items)\n"
    )
    here = str(Path(__file__).parent)
    crew = [
        subprocess.Popen([sys.executable, "-c", script, str(history.path), str(number), here]) for number in range(3)
    ]
    assert [process.wait(60) for process in crew] == [0, 0, 0]
    names = [entry.assessment.clip for entry in history.read()]
    assert history.damaged == []
    assert len(names) == len(set(names)) == 3 * 20 * 50


def test_a_full_disk_leaves_the_history_as_it_was(history, monkeypatch):
    history.append(clips([1.0]))
    before = history.path.read_bytes()
    write = os.write

    def half(descriptor, data):
        if len(data) < 200:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data[: len(data) // 2])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(AudioFileError, match="cannot be written: No space left"):
        history.append(clips([2.0, 3.0]))
    assert history.path.read_bytes() == before


def test_a_history_that_is_not_there_cannot_be_read_and_nothing_to_add_makes_none(history):
    history.append([])
    with pytest.raises(AudioFileError, match="cannot be read"):
        history.read()


def test_aggregates_take_the_last_entry_of_each_clip(history):
    values = np.random.default_rng(0).normal(10.0, 2.0, 40)
    history.append(clips(np.zeros(40)))
    history.append(clips(values))
    found = aggregate_entries(history.read())["si_sdr_db"]
    assert (found.count, found.mean) == (40, pytest.approx(values.mean()))
    assert found.median == pytest.approx(np.median(values))
    assert found.p5 == pytest.approx(np.percentile(values, 5.0))
    assert found.low < values.mean() < found.high


@pytest.mark.parametrize(
    ("key", "expected"), [("si_sdr_db", range(10)), ("log_spectral_distance_db", range(14, 4, -1))]
)
def test_the_worst_ten_are_those_at_the_bad_end_with_links(history, key, expected):
    history.append(clips(range(15), key))
    found = worst_entries(history.read(), key)
    assert [entry.assessment.after.values[key] for entry in found] == list(expected)
    assert all(entry.assessment.after.files["enhanced"].endswith(".wav") for entry in found)


def test_nothing_is_worst_where_nothing_is_better(history):
    history.append(clips([1.0], "loudness_lufs"))
    with pytest.raises(InvalidParameterError, match="no clip is worst"):
        worst_entries(history.read(), "loudness_lufs")


@pytest.mark.parametrize(
    ("key", "change", "verdict"),
    [
        ("si_sdr_db", -0.5, "worse"),
        ("si_sdr_db", 0.5, "better"),
        ("si_sdr_db", 0.0, "unsure"),
        ("log_spectral_distance_db", 0.5, "worse"),
        ("log_spectral_distance_db", -0.5, "better"),
    ],
)
def test_a_change_beyond_the_noise_between_clips_is_found(history, key, change, verdict):
    rng = np.random.default_rng(1)
    quality = rng.normal(10.0, 5.0, 30)
    history.append(clips(quality, key), version="1")
    history.append(clips(quality + change + rng.normal(0.0, 0.3, 30), key), version="2")
    (found,) = compare_entries(history.read(version="1"), history.read(version="2"))
    assert found.verdict == verdict
    assert found.test.mean_difference == pytest.approx(change, abs=0.2)
    assert found.text.startswith(f"{verdict}: ")


def test_only_clips_in_both_are_compared_and_never_the_machines_speed(history):
    history.append(clips(range(10)) + clips([0.1] * 10, "real_time_factor"), version="1")
    history.append([assessment({"real_time_factor": 0.5}, clip=f"clip {place}") for place in range(10)], version="2")
    assert compare_entries(history.read(version="1"), history.read(version="2")) == []


def test_what_five_clips_say_is_unsure(history):
    history.append(clips([5.0] * 5), version="1")
    history.append(clips([1.0] * 5), version="2")
    (found,) = compare_entries(history.read(version="1"), history.read(version="2"))
    assert found.verdict == "unsure"


def test_the_fewer_measures_are_compared_the_more_is_told_from_chance(history):
    keys = ("snr_db", "si_sdr_db", "stoi", "estoi", "pesq_wideband", "srmr", "csig", "cbak")
    for version, drop in (("1", 0.0), ("2", 0.5)):
        items = [assessment(dict.fromkeys(keys, at - drop), clip=f"clip {at}") for at in range(8)]
        history.append(items, version=version)
    before, after = history.read(version="1"), history.read(version="2")
    assert {change.verdict for change in compare_entries(before, after)} == {"unsure"}
    (found,) = compare_entries(before, after, ["stoi"])
    assert (found.measure.key, found.verdict) == ("stoi", "worse")
