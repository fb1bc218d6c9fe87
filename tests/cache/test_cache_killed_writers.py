"""Processes that are killed while they write, and processes that write at once, leave nothing torn, stale or lost."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import sys
import time

import pytest
from cache_contents import KEYS, busy_process, content_of, key_of

from unmuffle.cache import Cache

KILLS = 24
AT_ONCE = 3


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
    for process in running:
        assert process.communicate() == ("at work\n", "")
        assert process.returncode == 0
    assert check_all(folder) > 0
    with Cache(folder) as cache:
        statistics = cache.statistics
    assert statistics.stored == 4 * rounds
    # Each round is one question, and then there are those of the check.
    assert statistics.hits + statistics.misses == 4 * rounds + KEYS
    assert statistics.hits > 0


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
