"""Many files: each on its own, the same on any number of processes, and to be gone on with later."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from pathlib import Path

import pytest

from unmuffle import Enhancer
from unmuffle.corpus import Options, plan_tasks, run_batch
from unmuffle.errors import InvalidParameterError

RATE = 16_000
BROKEN = ("broken.wav", "short.wav", "text.wav")
GOOD = ("a.wav", "d.wav", "z.wav")


@pytest.fixture
def folder(tmp_path, noisy_speech, write_file):
    source = tmp_path / "in"
    for seed, name in enumerate(GOOD):
        write_file(source / name, noisy_speech(RATE, channels=2, seed=seed), RATE)
    (source / "broken.wav").write_bytes((source / "a.wav").read_bytes()[:30])
    (source / "short.wav").write_bytes(b"")
    (source / "text.wav").write_text("no sound in here\n" * 20)
    return source


def run(source, destination, jobs, **options):
    tasks = plan_tasks([str(source)], str(destination))
    outcomes = list(run_batch(tasks, Enhancer("wiener"), jobs=jobs, options=Options(**options)))
    assert sorted(outcome.task.source for outcome in outcomes) == sorted(task.source for task in tasks)
    return {Path(outcome.task.source).name: outcome for outcome in outcomes}


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_broken_file_fails_alone(folder, tmp_path, jobs):
    outcomes = run(folder, tmp_path / "out", jobs)
    assert {name for name, outcome in outcomes.items() if outcome.error} == set(BROKEN)
    assert set(contents(tmp_path / "out")) == set(GOOD)
    for name in BROKEN:
        assert str(folder / name) in outcomes[name].error
        assert "\n" not in outcomes[name].error
        assert not outcomes[name].skipped
    assert outcomes["a.wav"].report.seconds == 1.5


def test_results_do_not_depend_on_the_number_of_processes(folder, tmp_path):
    one = run(folder, tmp_path / "one", 1)
    two = run(folder, tmp_path / "two", 2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert [outcome.error for outcome in one.values()] == [two[name].error for name in one]


def test_on_one_process_results_come_in_order(folder, tmp_path):
    tasks = plan_tasks([str(folder)], str(tmp_path / "out"))
    assert [outcome.task for outcome in run_batch(tasks, Enhancer("wiener"))] == tasks


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_is_gone_on_with(folder, tmp_path, jobs):
    out = tmp_path / "out"
    run(folder, out, jobs)
    (out / "d.wav").unlink()
    (out / "a.wav").write_bytes(b"left as it is")
    outcomes = run(folder, out, jobs, skip_existing=True)
    assert {name for name, outcome in outcomes.items() if outcome.skipped} == {"a.wav", "z.wav"}
    assert outcomes["d.wav"].report is not None
    assert (out / "a.wav").read_bytes() == b"left as it is"


def test_results_that_exist_are_errors_unless_they_may_be_replaced(folder, tmp_path):
    out = tmp_path / "out"
    first = run(folder, out, 1)
    again = run(folder, out, 1)
    assert all("already exists" in again[name].error for name in GOOD)
    replaced = run(folder, out, 1, overwrite=True)
    assert all(replaced[name].report is not None for name in GOOD)
    assert first["a.wav"].report.destination == replaced["a.wav"].report.destination


@pytest.mark.parametrize("jobs", [1, 2])
def test_progress_of_every_file_reaches_its_end(folder, tmp_path, jobs):
    told = {}

    def hear(task, seconds, total):
        told.setdefault(Path(task.source).name, []).append((seconds, total))

    tasks = plan_tasks([str(folder / "*.wav")], str(tmp_path / "out"))
    list(run_batch(tasks, Enhancer("wiener"), jobs=jobs, progress=hear))
    assert set(told) == set(GOOD)
    for calls in told.values():
        assert calls == sorted(calls)
        assert calls[-1] == (1.5, 1.5)


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_that_nobody_foresaw_is_one_files_trouble(folder, tmp_path, jobs):
    tasks = plan_tasks([str(folder / "[az].wav")], str(tmp_path / "out"))
    enhancer = Enhancer("wiener", noise_profile=("no", "numbers"))
    outcomes = list(run_batch(tasks, enhancer, jobs=jobs))
    assert len(outcomes) == 2
    assert all(outcome.error.startswith(f"{outcome.task.source}: TypeError: ") for outcome in outcomes)


@pytest.mark.parametrize("jobs", [0, -1])
def test_there_must_be_a_process(jobs):
    with pytest.raises(InvalidParameterError, match=f"jobs is {jobs}"):
        list(run_batch([], Enhancer(), jobs=jobs))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_processes_killed_in_mid_file_are_reported_and_the_others_go_on(tmp_path, noisy_speech, write_file, names_in):
    long = noisy_speech(RATE, seconds=120.0, channels=2)
    for name in ("1.wav", "2.wav"):
        write_file(tmp_path / "in" / name, long, RATE)
    write_file(tmp_path / "in" / "3.wav", noisy_speech(RATE), RATE)
    killed = []

    def kill_all(task, seconds, total):
        if not killed:
            assert 0.0 < seconds < total
            killed.extend(process.pid for process in multiprocessing.active_children())
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    tasks = plan_tasks([str(tmp_path / "in")], str(tmp_path / "out"))
    outcomes = {outcome.task: outcome for outcome in run_batch(tasks, Enhancer("auto"), jobs=2, progress=kill_all)}
    assert len(killed) == 2
    for task in tasks[:2]:
        assert outcomes[task].error == (f"{task.source}: its process ended with exit code -9; out of memory, perhaps")
    assert outcomes[tasks[2]].report is not None
    assert [name for name in names_in(tmp_path / "out") if not name.startswith(".")] == ["3.wav"]
