"""Sets are written whole, byte for byte the same, and gone on with where they were left."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from evaluation_clips import write_sources

from unmuffle.errors import AudioFileError, OutputExistsError
from unmuffle.measure.evaluation.mix_folder import UNFINISHED_FILE, write_mixes
from unmuffle.measure.evaluation.mix_plan import MixPlan
from unmuffle.measure.evaluation.pairs import find_pairs


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return write_sources(tmp_path_factory.mktemp("sources"))


def plan(sources: Path, count: int = 4, **settings) -> MixPlan:
    return MixPlan(sources / "speech", sources / "noise", count=count, seconds=1.0, **settings)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_set_is_what_find_pairs_reads(sources, tmp_path):
    report = write_mixes(plan(sources), tmp_path)
    assert (report.written, report.kept) == (4, 0)
    found = find_pairs(tmp_path)
    assert len(found) == 4
    for pair, clip in zip(found, plan(sources), strict=True):
        made = clip.read()
        assert pair.conditions == made.conditions
        assert pair.name == clip.name
        np.testing.assert_allclose(pair.read().noisy, made.noisy, atol=1.0 / 32_768)
        np.testing.assert_allclose(pair.read().clean, made.clean, atol=1.0 / 32_768)
    assert soundfile.info(found[0].noisy).subtype == "PCM_16"
    assert sorted(contents(tmp_path)) == sorted(
        [f"{role}/m{index:05d}.flac" for role in ("clean", "noisy") for index in range(4)] + ["pairs.csv"]
    )


def test_the_same_seed_gives_the_same_bytes_in_any_number_of_processes(sources, tmp_path):
    write_mixes(plan(sources), tmp_path / "one")
    write_mixes(plan(sources), tmp_path / "two", jobs=2)
    write_mixes(plan(sources, seed=1), tmp_path / "other")
    assert contents(tmp_path / "one") == contents(tmp_path / "two") != contents(tmp_path / "other")


def test_more_clips_extend_a_set_and_fewer_leave_it(sources, tmp_path):
    write_mixes(plan(sources, 2), tmp_path / "grown")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "grown").rglob("*.flac")}
    report = write_mixes(plan(sources, 4), tmp_path / "grown")
    assert (report.written, report.kept) == (2, 2)
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())
    write_mixes(plan(sources, 4), tmp_path / "whole")
    assert contents(tmp_path / "grown") == contents(tmp_path / "whole")
    write_mixes(plan(sources, 1), tmp_path / "grown")
    assert contents(tmp_path / "grown") == contents(tmp_path / "whole")


class StoppedError(Exception):
    pass


def test_a_run_that_was_interrupted_goes_on(sources, tmp_path):
    def stop_at_3(done: int, _: int) -> None:
        if done == 3:
            raise StoppedError

    with pytest.raises(StoppedError):
        write_mixes(plan(sources), tmp_path / "cut", progress=stop_at_3)
    assert not (tmp_path / "cut" / "pairs.csv").exists()
    with (tmp_path / "cut" / UNFINISHED_FILE).open("a") as unfinished:
        unfinished.write('{"id": "m000')
    told = []
    report = write_mixes(plan(sources), tmp_path / "cut", progress=lambda *counts: told.append(counts))
    assert (report.written, report.kept) == (1, 3)
    assert told == [(4, 4)]
    write_mixes(plan(sources), tmp_path / "whole")
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_a_clip_that_is_gone_or_cut_short_is_made_again(sources, tmp_path):
    write_mixes(plan(sources), tmp_path)
    before = contents(tmp_path)
    (tmp_path / "clean" / "m00001.flac").unlink()
    (tmp_path / "noisy" / "m00002.flac").write_bytes(b"fLaC")
    assert write_mixes(plan(sources), tmp_path).written == 2
    assert contents(tmp_path) == before


@pytest.mark.parametrize("settings", [{"seed": 1}, {"snrs_db": (3.0,)}, {"sample_rate": 8_000}])
def test_a_set_of_another_plan_is_not_mixed_into(sources, tmp_path, settings):
    write_mixes(plan(sources), tmp_path)
    before = contents(tmp_path)
    with pytest.raises(OutputExistsError, match=r"holds 4 clip\(s\) of another seed"):
        write_mixes(plan(sources, **settings), tmp_path)
    assert contents(tmp_path) == before
    assert write_mixes(plan(sources, **settings), tmp_path, overwrite=True).written == 4
    with (tmp_path / "pairs.csv").open() as file:
        assert len({row["mix"] for row in csv.DictReader(file)}) == 1


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_cannot_be_mixed_is_named(sources, tmp_path, jobs):
    (tmp_path / "noise").mkdir()
    (tmp_path / "noise" / "broken.wav").write_bytes(b"RIFF but no more")
    broken = MixPlan(sources / "speech", tmp_path / "noise", count=3, seconds=1.0)
    with pytest.raises(AudioFileError, match=r"broken\.wav"):
        write_mixes(broken, tmp_path / "set", jobs=jobs)
    assert not (tmp_path / "set" / "pairs.csv").exists()


def test_what_is_kept_of_an_unfinished_set_are_rows(sources, tmp_path):
    def stop(*_: int) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        write_mixes(plan(sources), tmp_path, progress=stop)
    (row,) = map(json.loads, (tmp_path / UNFINISHED_FILE).read_text().splitlines())
    assert (row["id"], row["snr_db"], row["seed"]) == ("m00000", "-5.0", "0")
