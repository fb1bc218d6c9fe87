"""``unmuffle cache``, ``unmuffle enhance --cache``, and what importing the package does not load."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

import unmuffle
from unmuffle.cache import Cache
from unmuffle.cli.app import app

RATE = 16_000


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The user's cache."""
    monkeypatch.setenv("UNMUFFLE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def recordings(tmp_path, noisy_speech, write_file):
    for seed in range(3):
        write_file(tmp_path / "in" / f"{seed}.wav", noisy_speech(RATE, seconds=1.0, seed=seed), RATE)
    return tmp_path / "in"


def said(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def counters(*arguments):
    code, out, _ = said("cache", "stats", "--json", *arguments)
    assert code == 0
    return json.loads(out)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_second_run_over_a_folder_copies(recordings, tmp_path, folder, jobs):
    options = ["--method", "wiener", "--jobs", jobs]
    for run in ("without", "first", "second"):
        cache = [] if run == "without" else ["--cache"]
        code, _, err = said("enhance", recordings, "-o", tmp_path / run, *options, *cache)
        assert code == 0
        assert ("3 of them from the cache" in err) == (run == "second")
        assert folder.exists() == (run != "without")
    for seed in range(3):
        results = [(tmp_path / run / f"{seed}.wav").read_bytes() for run in ("without", "first", "second")]
        assert results[0] == results[1] == results[2]
    found = counters()
    assert (found["misses"], found["hits"], found["hit_rate"]) == (3, 3, 0.5)


def test_no_cache_is_the_default(recordings, tmp_path, folder):
    for more in ([], ["--no-cache"], ["--cache", "--no-cache"]):
        said("enhance", recordings / "0.wav", "-o", tmp_path / "a.wav", "--method", "wiener", "--overwrite", *more)
    assert not folder.exists()


def test_a_copy_and_a_reason_for_none_are_told(recordings, tmp_path):
    one = ["enhance", recordings / "0.wav", "--method", "wiener", "--cache", "--overwrite", "-o"]
    assert "x real time" in said(*one, tmp_path / "a.wav")[2]
    assert "from the cache" in said(*one, tmp_path / "b.wav")[2]
    data = (recordings / "0.wav").read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "unmuffle", "enhance", "-", "-o", tmp_path / "c.wav", "--cache", "--method", "wiener"],
        input=data,
        capture_output=True,
        check=True,
    )
    assert b"without the cache: the source is a stream" in done.stderr


def test_the_strength_over_time_is_there_from_the_cache_too(recordings, tmp_path):
    for name in ("a", "b"):
        options = ["--method", "wiener", "--strength", "auto", "--save-strength", "--cache"]
        assert said("enhance", recordings / "0.wav", "-o", tmp_path / f"{name}.wav", *options)[0] == 0
    assert counters()["hits"] == 1
    assert (tmp_path / "a.strength.csv").read_text() == (tmp_path / "b.strength.csv").read_text()


def test_stats_and_clear(recordings, tmp_path, folder):
    code, out, _ = said("cache", "stats")
    assert (code, "0 entries, 0 B of at most 2.0 GiB" in out, folder.exists()) == (0, True, False)
    assert "found: nothing was asked for yet" in out
    said("enhance", recordings, "-o", tmp_path / "out", "--method", "wiener", "--cache")
    _, out, _ = said("cache", "stats")
    assert str(folder) in out
    assert "6 entries, " in out
    assert "KiB" in out
    assert "of at most 2.0 GiB" in out
    assert "found: 0 of 3 asked for (0 %)" in out
    assert counters()["entries"] == 6
    kept_bytes = counters()["size_bytes"]
    with Cache(tmp_path / "other") as other:
        other.put("0" * 64, b"12345")
    assert counters("--folder", tmp_path / "other")["size_bytes"] == 5
    code, out, _ = said("cache", "clear", "--json")
    assert (code, json.loads(out)) == (
        0,
        {"folder": str(folder), "removed_entries": 6, "removed_bytes": kept_bytes},
    )
    assert counters()["entries"] == counters()["misses"] == 0
    assert list(folder.glob("v1/entries/*/*")) == []
    assert "removed 1 entry, 5 B" in said("cache", "clear", "--folder", tmp_path / "other")[1]
    assert said("cache", "clear", "--folder", tmp_path / "none")[0] == 0


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    assert said("cache", "clear", "--folder", tmp_path / "mine")[0] == 0
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_importing_the_package_and_enhancing_do_not_load_the_database():
    code = (
        "import sys, numpy, unmuffle; unmuffle.enhance(numpy.ones(8000), 8000, method='wiener'); "
        "print('sqlite3' in sys.modules, 'unmuffle.cache' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_an_enhancement_that_is_killed_leaves_no_result_and_no_wrong_entry(tmp_path, folder, noisy_speech, write_file):
    """Killed at any time between its start and its end, also while the result is kept and copied."""
    source = write_file(tmp_path / "noisy.wav", np.tile(noisy_speech(RATE, seconds=5.0, channels=2), 24), RATE)
    enhancer = unmuffle.Enhancer(chain="gain:gain_db=-3")
    plain = tmp_path / "plain.wav"
    enhancer.enhance_file(source, plain)
    code = (
        "import sys, unmuffle\n"
        "enhancer = unmuffle.Enhancer(chain='gain:gain_db=-3')\n"
        "print('ready', flush=True)\n"
        "for number in range(100):\n"
        "    enhancer.enhance_file(sys.argv[1], sys.argv[2], overwrite=True, cache=True)\n"
    )
    out = tmp_path / "out.wav"
    for kill in range(12):
        if kill % 3 == 0:
            said("cache", "clear")
        process = subprocess.Popen([sys.executable, "-c", code, source, out], stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(0.03 * kill)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not out.exists() or out.read_bytes() == plain.read_bytes()
        with Cache(folder) as cache:
            enhancer.enhance_file(source, tmp_path / "after.wav", overwrite=True, cache=cache)
            assert (tmp_path / "after.wav").read_bytes() == plain.read_bytes()
            assert cache.statistics.damaged == 0
    assert soundfile.info(out).frames == 120 * RATE
