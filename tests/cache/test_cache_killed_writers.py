"""Processes that are killed while they write, and processes that write at once, leave nothing torn, stale or lost."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from cache_contents import KEYS, busy_process, content_of, key_of

from unmuffle.cache import Cache

KILLS = 50
AT_ONCE = 4


def check_all(folder, **limits):
    """Every answer is the right one; returns how many there are."""
    with Cache(folder, memory_bytes=0, **limits) as cache:
        found = {number: cache.get(key_of(number)) for number in range(KEYS)}
        there = {number: data for number, data in found.items() if data is not None}
        assert there == {number: content_of(number) for number in there}
        assert cache.statistics.damaged == 0
        return len(there)


def wait_for_start(process):
    assert process.stdout.readline() == "at work\n"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_nothing_torn_is_left_by_writers_that_are_killed(tmp_path, caplog):
    folder, chooser = tmp_path / "cache", random.Random(7)
    running = [busy_process(folder, seed) for seed in range(AT_ONCE)]
    for process in running:
        wait_for_start(process)
    answers = 0
    for kill in range(KILLS):
        time.sleep(chooser.uniform(0.0, 0.08))
        victim = running.pop(chooser.randrange(AT_ONCE))
        victim.send_signal(signal.SIGKILL)
        said, complaints = victim.communicate()
        assert (said, complaints) == ("", "")
        # The others are at work while this one looks.
        answers += check_all(folder)
        running.append(busy_process(folder, AT_ONCE + kill))
        wait_for_start(running[-1])
    for process in running:
        process.kill()
        assert process.communicate() == ("", "")
    assert answers > KILLS
    assert caplog.records == []
    limit = sum(len(content_of(number)) for number in range(KEYS)) // 2
    with Cache(folder) as cache:
        statistics = cache.statistics
        assert statistics.size_bytes <= limit
        assert statistics.stored > KILLS
        assert statistics.evicted > 0
    (index,) = folder.glob("v1/index-*.sqlite")
    connection = sqlite3.connect(index)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    # The sums that are kept are those of the rows.
    sums = connection.execute("SELECT COUNT(*), SUM(size) FROM entries").fetchone()
    connection.close()
    assert sums == (statistics.entries, statistics.size_bytes)


def test_processes_at_once_see_each_others_entries_and_all_are_counted(tmp_path):
    folder, rounds = tmp_path / "cache", 60
    running = [busy_process(folder, seed, rounds) for seed in range(4)]
    answers = 0
    for process in running:
        said, complaints = process.communicate()
        begun, answered = said.splitlines()
        assert (begun, complaints, process.returncode) == ("at work", "", 0)
        answers += int(answered.removeprefix("answered "))
    with Cache(folder) as cache:
        statistics = cache.statistics
    assert statistics.stored == 4 * rounds
    # Each round is one question.
    assert statistics.hits == answers > 0
    assert statistics.misses == 4 * rounds - answers
    assert statistics.hit_rate == pytest.approx(answers / (4 * rounds))
    assert check_all(folder) > 0


def test_what_processes_at_once_remove_for_want_of_room_is_counted_to_the_last(tmp_path):
    """No key is put twice, so that whatever was stored is there or was removed."""
    folder, each = tmp_path / "cache", 40
    code = (
        "import sys; from unmuffle.cache import Cache, cache_key\n"
        "with Cache(sys.argv[1], disk_bytes=300_000) as cache:\n"
        f"    for number in range({each}):\n"
        "        key = cache_key(b'', model_checksum=None, parameters={'of': sys.argv[2], 'number': number},"
        " package_version='1')\n"
        "        assert cache.put(key, bytes([number]) * 10_000)\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, folder, str(one)]) for one in range(4)]
    assert [process.wait(60) for process in running] == [0] * 4
    with Cache(folder) as cache:
        statistics = cache.statistics
    assert (statistics.stored, statistics.entries, statistics.size_bytes) == (4 * each, 30, 300_000)
    assert statistics.evicted == 4 * each - 30


def test_what_killed_writers_left_is_removed(tmp_path):
    with Cache(tmp_path / "cache") as cache:
        cache.put(key_of(1), b"one")
    left = tmp_path / "cache" / "v1" / "pending" / "0123"
    left.write_bytes(b"half of")
    just_now = left.with_name("4567")
    just_now.write_bytes(b"being written by another")
    now_s = time.time()
    os.utime(left, (now_s - 3600, now_s - 3600))
    with Cache(tmp_path / "cache") as cache:
        cache.put(key_of(2), b"two")
        assert cache.get(key_of(1)) == b"one"
    assert [path.name for path in left.parent.iterdir()] == ["4567"]


def test_a_process_that_runs_on_removes_what_others_leave_meanwhile(tmp_path):
    now_s = 1e9
    with Cache(tmp_path / "cache", clock=lambda: now_s) as cache:
        cache.put(key_of(1), b"one")
        left = tmp_path / "cache" / "v1" / "pending" / "0123"
        left.write_bytes(b"half of")
        os.utime(left, (time.time() - 3600, time.time() - 3600))
        cache.put(key_of(2), b"two")
        assert left.exists()
        now_s += 1000.0
        cache.put(key_of(3), b"three")
        assert not left.exists()
