"""What is kept, for how long, and what goes first."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cache_contents import content_of, key_of

from unmuffle.cache import Cache
from unmuffle.errors import InvalidParameterError

ALL_COUNTERS = ("hits", "memory_hits", "misses", "stored", "evicted", "expired", "damaged")


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now_s=1_000_000.0):
        self.now_s = now_s

    def __call__(self):
        return self.now_s


def counters(cache):
    told = cache.statistics.to_dict()
    return {name: told[name] for name in ALL_COUNTERS if told[name]}


def numbers_in(cache):
    """Which of the first entries are there; asks the files, not the cache, so that nothing counts as used."""
    return {number for number in range(10) if list(cache.folder.glob(f"v1/entries/*/{key_of(number)}.*"))}


@pytest.fixture
def cache(tmp_path):
    with Cache(tmp_path / "cache") as cache:
        yield cache


def test_bytes_and_files_come_back_as_they_were(cache, tmp_path):
    source = tmp_path / "source"
    for number in range(6):
        assert cache.get(key_of(number)) is None
        source.write_bytes(content_of(number))
        assert cache.put_file(key_of(number), source) if number % 2 else cache.put(key_of(number), content_of(number))
    source.unlink()
    for number in range(6):
        assert cache.get(key_of(number)) == content_of(number)
        assert cache.get_file(key_of(number)).read_bytes() == content_of(number)
        assert b"".join(cache.blocks(key_of(number))) == content_of(number)
    assert counters(cache) == {"misses": 6, "stored": 6, "hits": 18, "memory_hits": 3}


def test_entries_survive_a_restart_and_are_seen_by_others(cache):
    cache.put(key_of(3), content_of(3))
    with Cache(cache.folder) as other:
        assert other.get(key_of(3)) == content_of(3)
        other.put(key_of(4), content_of(4))
    assert cache.get(key_of(4)) == content_of(4)
    assert counters(cache) == {"stored": 2, "hits": 2}


def test_no_tier_ever_gives_what_has_been_replaced_or_removed(cache):
    with Cache(cache.folder) as other:
        cache.put(key_of(1), b"first")
        assert other.get(key_of(1)) == b"first"
        cache.put(key_of(1), b"second")
        assert other.get(key_of(1)) == b"second"
        other.put(key_of(1), b"third")
        assert cache.get(key_of(1)) == b"third"
        other.clear()
        assert cache.get(key_of(1)) is None
        assert other.get(key_of(1)) is None
    assert numbers_in(cache) == set()


def test_memory_answers_what_was_asked_for_lately(cache):
    with Cache(cache.folder, memory_bytes=250) as small:
        for number in range(3):
            small.put(key_of(number), bytes(100))
        assert (small.statistics.memory_entries, small.statistics.memory_bytes) == (2, 200)
        small.get(key_of(2))
        small.get(key_of(0))
        assert small.statistics.memory_hits == 1
        small.put(key_of(5), bytes(251))
        assert small.statistics.memory_bytes == 200
        assert len(small.get(key_of(5))) == 251
        assert small.statistics.memory_hits == 1


def test_the_least_recently_used_go_first(tmp_path):
    with Cache(tmp_path / "cache", disk_bytes=1000) as cache:
        for number in range(4):
            cache.put(key_of(number), bytes(250))
        cache.get(key_of(0))
        b"".join(cache.blocks(key_of(1)))
        cache.put(key_of(4), bytes(300))
        assert numbers_in(cache) == {0, 1, 4}
        assert (cache.statistics.entries, cache.statistics.size_bytes) == (3, 800)
        assert counters(cache)["evicted"] == 2
        # The smaller limit of another process holds when that one writes.
        with Cache(tmp_path / "cache", disk_bytes=500) as smaller:
            smaller.put(key_of(5), bytes(100))
        assert numbers_in(cache) == {4, 5}


def test_the_order_of_use_does_not_hang_on_the_clock(tmp_path):
    clock = Clock()
    with Cache(tmp_path / "cache", disk_bytes=200, clock=clock) as cache:
        cache.put(key_of(0), bytes(100))
        clock.now_s -= 1e5
        cache.put(key_of(1), bytes(100))
        clock.now_s -= 1e5
        cache.put(key_of(2), bytes(100))
        assert numbers_in(cache) == {1, 2}


def test_what_has_no_room_at_all_is_not_kept(tmp_path):
    with Cache(tmp_path / "cache", disk_bytes=100) as cache:
        cache.put(key_of(0), bytes(100))
        assert not cache.put(key_of(1), bytes(101))
        large = tmp_path / "large"
        large.write_bytes(bytes(101))
        assert not cache.put_file(key_of(1), large)
        assert (cache.get(key_of(1)), numbers_in(cache)) == (None, {0})


def test_entries_expire(tmp_path):
    clock = Clock()
    with Cache(tmp_path / "cache", ttl_s=60, clock=clock) as cache:
        cache.put(key_of(0), b"old")
        clock.now_s += 60
        assert cache.get(key_of(0)) == b"old"
        cache.put(key_of(1), b"new")
        clock.now_s += 1
        with Cache(tmp_path / "cache", clock=clock) as patient:
            assert patient.get(key_of(0)) == b"old"
        assert cache.get(key_of(0)) is None
        assert cache.get(key_of(1)) == b"new"
        assert numbers_in(cache) == {1}
        # What nobody asks for goes when something is written.
        clock.now_s += 1000
        cache.put(key_of(2), b"newest")
        assert numbers_in(cache) == {2}
        assert counters(cache)["expired"] == 2


def test_to_be_used_makes_nothing_younger(tmp_path):
    clock = Clock()
    with Cache(tmp_path / "cache", ttl_s=60, clock=clock) as cache:
        cache.put(key_of(0), b"old")
        for _ in range(6):
            clock.now_s += 10
            assert cache.get(key_of(0)) == b"old"
        clock.now_s += 10
        assert cache.get(key_of(0)) is None


@pytest.mark.parametrize("back_s", [30, 1000])
def test_when_the_clock_is_set_back_nothing_of_unknown_age_is_given(tmp_path, back_s):
    clock = Clock()
    with Cache(tmp_path / "cache", ttl_s=60, clock=clock) as cache:
        cache.put(key_of(0), b"made before")
        clock.now_s += 50
        assert cache.get(key_of(0)) == b"made before"
        # With 30 s it would look 20 s old, and be 110 s old when it expired.
        clock.now_s -= back_s
        assert cache.get(key_of(0)) is None
        cache.put(key_of(0), b"made after")
        clock.now_s += 59
        assert cache.get(key_of(0)) == b"made after"
        clock.now_s += 2
        assert cache.get(key_of(0)) is None


def test_a_clock_that_is_corrected_a_little_changes_nothing(tmp_path):
    clock = Clock()
    with Cache(tmp_path / "cache", ttl_s=60, clock=clock) as cache:
        cache.put(key_of(0), b"before")
        clock.now_s += 10
        cache.put(key_of(1), b"after")
        clock.now_s -= 0.5
        assert cache.get(key_of(0)) == b"before"


def test_counters_are_kept_until_cleared(cache, tmp_path):
    beside = tmp_path / "cache" / "v1" / "entries" / "notes.txt"
    cache.put(key_of(0), b"one")
    cache.get(key_of(0))
    cache.get(key_of(1))
    beside.write_text("not the cache's own")
    cache.close()
    with Cache(cache.folder) as again:
        assert counters(again) == {"hits": 1, "memory_hits": 1, "misses": 1, "stored": 1}
        assert again.statistics.hit_rate == 0.5
        again.clear()
        assert counters(again) == {}
        assert (again.statistics.entries, again.statistics.size_bytes, again.statistics.hit_rate) == (0, 0, None)
    assert numbers_in(cache) == set()
    assert beside.exists()


def test_to_look_at_a_cache_does_not_make_one(tmp_path):
    cache = Cache(tmp_path / "none")
    assert cache.statistics.entries == 0
    cache.clear()
    assert list(tmp_path.iterdir()) == []


def test_entries_are_private(cache):
    cache.put(key_of(0), b"a voice")
    (entry,) = cache.folder.glob("v1/entries/*/*")
    assert entry.stat().st_mode & 0o077 == 0
    assert (cache.folder / "v1").stat().st_mode & 0o077 == 0


def test_threads_may_share_one(cache):
    wrong = []

    def work(seed):
        for number in range(40):
            number = (number * seed) % 6
            found = cache.get(key_of(number))
            if found not in (None, content_of(number)) or not cache.put(key_of(number), content_of(number)):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 3, 5, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    statistics = cache.statistics
    assert (statistics.stored, statistics.hits + statistics.misses) == (160, 160)


def test_it_can_be_taken_to_another_process(cache):
    cache.put(key_of(0), b"one")
    with pickle.loads(pickle.dumps(Cache(cache.folder, disk_bytes=1234, ttl_s=5.0))) as there:
        assert there.get(key_of(0)) == b"one"
        assert there.statistics.limit_bytes == 1234


@pytest.mark.parametrize(
    "wrong", [{"memory_bytes": -1}, {"disk_bytes": -1}, {"ttl_s": 0.0}, {"ttl_s": -1.0}, {"ttl_s": float("nan")}]
)
def test_limits_out_of_range_are_refused(tmp_path, wrong):
    with pytest.raises(InvalidParameterError):
        Cache(tmp_path, **wrong)


@pytest.mark.parametrize("key", ["", "0" * 63, "../" * 21 + "x", "G" * 64, "A" * 64, None, 5])
def test_what_is_no_key_is_refused(cache, key):
    for ask in (cache.get, cache.get_file, cache.blocks, lambda key: cache.put(key, b"")):
        with pytest.raises(InvalidParameterError, match="no key"):
            ask(key)


FORK = """
import os, sys
from cache_contents import content_of, key_of
from unmuffle.cache import Cache
cache = Cache(sys.argv[1])
cache.put(key_of(1), content_of(1))
for child in range(3):
    if os.fork() == 0:
        assert cache.get(key_of(1)) == content_of(1)
        assert cache.put(key_of(2 + child), content_of(2 + child))
        cache.close()
        sys.exit()
for child in range(3):
    assert os.wait()[1] == 0
for number in range(1, 5):
    assert cache.get(key_of(number)) == content_of(number)
assert cache.statistics.stored == 4
assert cache.statistics.hits == 7
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_cache_that_is_open_may_be_carried_into_a_fork(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-c", FORK, tmp_path / "cache"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
