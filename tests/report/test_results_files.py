"""What is stored comes back as it was, whole or not at all."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest
from report_results import made_results

from unmuffle.errors import AudioFileError, MissingExtraError
from unmuffle.measure.report.jsonl import read_jsonl, write_jsonl
from unmuffle.measure.report.table import write_csv, write_parquet
from unmuffle.measure.results import ClipResult, Results

ODD = Results(
    [
        ClipResult(
            'a,"b"\n<script>', "noisy", 8_000, 0.1 + 0.2, {"snr_db": math.inf, "x": 1e-310}, {"stoi": "too short"}
        ),
        ClipResult(
            "ünï", "mine", 48_000, 1 / 3, {"snr_db": -math.inf, "x": math.nextafter(1.0, 2.0)}, {}, {"snr_db": 5.0}
        ),
        ClipResult("c", "mine", 48_000, 2.0, {}, {"clip": "no\u2028samples"}, {"snr_db": "clean", "noise": "fan"}),
        ClipResult("bad-\udcff-name", "mine", 16_000, 2.0, {"y": math.nan}, files={"noisy": "/a/bad-\udcff.wav"}),
    ],
    {"data": "ödd", "machine": ""},
)


def rows_of(results):
    return [
        (row.clip, row.enhancer, row.sample_rate, row.seconds, dict(row.values), dict(row.failures),
         dict(row.conditions), dict(row.files))
        for row in results
    ]  # fmt: skip


@pytest.mark.parametrize("results", [made_results(), ODD, Results([])], ids=["plain", "odd", "empty"])
def test_json_lines_come_back_bit_for_bit(results, tmp_path):
    write_jsonl(results, tmp_path / "r.jsonl")
    back = read_jsonl(tmp_path / "r.jsonl")
    # The text of a float tells all of its bits, and NaN equals itself in it.
    assert repr(rows_of(back)) == repr(rows_of(results))
    assert back.about == results.about


def test_json_lines_are_plain_json(tmp_path):
    write_jsonl(ODD, tmp_path / "r.jsonl")

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    lines = (tmp_path / "r.jsonl").read_text("utf-8").split("\n")
    assert lines.pop() == ""
    assert len([json.loads(line, parse_constant=refuse) for line in lines]) == 1 + len(ODD)


def test_numbers_of_numpy_are_stored(tmp_path):
    row = ClipResult("a", "noisy", np.int64(16_000), np.float32(1.5), {"x": np.float32(0.1)}, {}, {"k": np.int64(3)})
    write_jsonl(Results([row]), tmp_path / "r.jsonl")
    back = read_jsonl(tmp_path / "r.jsonl").get("a", "noisy")
    assert (back.sample_rate, back.seconds, back.values["x"], back.conditions["k"]) == (
        16_000,
        1.5,
        float(np.float32(0.1)),
        3,
    )


def test_a_damaged_line_is_named(tmp_path):
    path = tmp_path / "r.jsonl"
    write_jsonl(made_results(2), path)
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([*lines[:3], lines[3][:40], *lines[4:]]))
    with pytest.raises(AudioFileError, match="line 4 is damaged"):
        read_jsonl(path)


@pytest.mark.parametrize("kept", [0.5, 0.99])
def test_a_file_cut_short_is_told(kept, tmp_path):
    path = tmp_path / "r.jsonl"
    write_jsonl(made_results(4), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(AudioFileError, match=r"line \d+ is damaged or cut short"):
        read_jsonl(path)


def test_missing_last_rows_are_told(tmp_path):
    path = tmp_path / "r.jsonl"
    write_jsonl(made_results(4), path)
    path.write_bytes(b"\n".join(path.read_bytes().splitlines()[:8]) + b"\n")
    with pytest.raises(AudioFileError, match="ends at line 8, after 7 of 12 rows"):
        read_jsonl(path)


@pytest.mark.parametrize("contents", [b"", b"clip,enhancer\n", b'{"format": "other"}\n', b"\x00\xff", b"[]\n"])
def test_other_files_are_refused(contents, tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_bytes(contents)
    with pytest.raises(AudioFileError, match="holds no results"):
        read_jsonl(path)
    with pytest.raises(AudioFileError, match="cannot be read"):
        read_jsonl(tmp_path / "none.jsonl")


def test_a_later_version_is_refused_as_such(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_text('{"format": "unmuffle-results", "version": 2, "rows": 0, "about": {}}\n')
    with pytest.raises(AudioFileError, match="version 2"):
        read_jsonl(path)


def test_csv_comes_back_equal(tmp_path):
    results = made_results()
    write_csv(results, tmp_path / "r.csv")
    with (tmp_path / "r.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert list(table[0])[:6] == ["clip", "enhancer", "sample_rate", "seconds", "condition_snr_db", "condition_noise"]
    for line, row in zip(table, results, strict=True):
        assert (line["clip"], line["enhancer"], int(line["sample_rate"])) == (row.clip, row.enhancer, row.sample_rate)
        assert float(line["condition_snr_db"]) == row.conditions["snr_db"]
        values = {key: float(line[key]) for key in results.keys if line[key]}
        assert values == dict(row.values)


def test_csv_keeps_names_and_reasons_that_need_quotes(tmp_path):
    write_csv(ODD, tmp_path / "r.csv")
    with (tmp_path / "r.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert table[0]["clip"] == 'a,"b"\n<script>'
    assert json.loads(table[2]["failures"]) == {"clip": "no\u2028samples"}
    assert table[0]["snr_db"] == "inf"
    assert [line["condition_snr_db"] for line in table] == ["", "5.0", "clean", ""]


def test_parquet_comes_back_equal_with_the_same_types_whatever_is_missing(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    results = made_results()
    write_parquet(results, tmp_path / "r.parquet")
    table = parquet.read_table(tmp_path / "r.parquet")
    for line, row in zip(table.to_pylist(), results, strict=True):
        assert line["clip"] == row.clip
        assert line["condition_noise"] == row.conditions["noise"]
        assert {key: line[key] for key in results.keys if line[key] is not None} == dict(row.values)
    assert json.loads(table.schema.metadata[b"about"]) == dict(results.about)
    write_parquet(Results(row for row in results if row.enhancer == "noisy"), tmp_path / "one.parquet")
    one = parquet.read_schema(tmp_path / "one.parquet")
    common = [name for name in one.names if name in table.schema.names]
    assert "failures" in common
    assert [one.field(name).type for name in common] == [table.schema.field(name).type for name in common]


def test_parquet_takes_odd_rows(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    write_parquet(ODD, tmp_path / "r.parquet")
    table = parquet.read_table(tmp_path / "r.parquet").to_pylist()
    assert table[0]["snr_db"] == math.inf
    assert math.isnan(table[3]["y"])
    assert table[1]["x"] == math.nextafter(1.0, 2.0)


@pytest.mark.parametrize(
    ("write", "name"), [(write_jsonl, "r.jsonl"), (write_csv, "r.csv"), (write_parquet, "r.parquet")]
)
def test_nothing_is_left_of_a_write_that_fails(write, name, tmp_path, monkeypatch):
    if write is write_parquet:
        pytest.importorskip("pyarrow")
    path = tmp_path / name
    path.write_text("as it was")

    class Broken(Results):
        def __iter__(self):
            yield from list(super().__iter__())[:2]
            raise OSError(28, "No space left on device")

        @property
        def keys(self):
            return ["si_sdr_db"]

    with pytest.raises((AudioFileError, OSError)):
        write(Broken(made_results()), path)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    assert path.read_text() == "as it was"


def test_a_folder_that_is_none_is_told_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AudioFileError, match="part of its path is a file"):
        write_csv(made_results(1), tmp_path / "file" / "r.csv")


def test_without_the_extra_the_way_to_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r'pip install "unmuffle\[report\]"'):
        write_parquet(made_results(1), tmp_path / "r.parquet")
