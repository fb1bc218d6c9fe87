"""Whatever happens to the files of a cache, a wrong answer is never given, and the cache mends itself."""

from __future__ import annotations

import hashlib
import logging
import random
import shutil
import sqlite3

import pytest
from cache_contents import content_of, key_of

from unmuffle.cache import Cache, DamagedEntryError

COUNT = 8


@pytest.fixture
def folder(tmp_path):
    """A cache with some entries, closed."""
    with Cache(tmp_path / "cache") as cache:
        for number in range(COUNT):
            cache.put(key_of(number), content_of(number))
    return tmp_path / "cache"


def entry_file(folder, number):
    (path,) = folder.glob(f"v1/entries/*/{key_of(number)}.*")
    return path


def right_answers(cache):
    """How many entries are there; each must be the right one."""
    found = {number: cache.get(key_of(number)) for number in range(COUNT)}
    there = {number: data for number, data in found.items() if data is not None}
    assert there == {number: content_of(number) for number in there}
    return len(there)


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


LARGE = next(number for number in range(COUNT) if len(content_of(number)) > 100_000)


@pytest.mark.parametrize("how", ["flip first", "flip last", "cut", "empty", "longer", "another's"])
def test_an_entry_whose_bytes_were_changed_is_removed_and_not_given(folder, how, caplog):
    path = entry_file(folder, LARGE)
    data = path.read_bytes()
    {
        "flip first": lambda: flip(path, 0),
        "flip last": lambda: flip(path, -1),
        "cut": lambda: path.write_bytes(data[: len(data) // 2]),
        "empty": lambda: path.write_bytes(b""),
        "longer": lambda: path.write_bytes(data + b"\0"),
        "another's": lambda: path.write_bytes(content_of(LARGE + 1)),
    }[how]()
    with Cache(folder) as cache:
        for _ in range(2):
            assert cache.get(key_of(LARGE)) is None
        assert not path.exists()
        assert (cache.statistics.damaged, cache.statistics.entries) == (1, COUNT - 1)
        assert (cache.statistics.hits, cache.statistics.misses) == (0, 2)
        cache.put(key_of(LARGE), content_of(LARGE))
        assert right_answers(cache) == COUNT
    assert caplog.records == []


def test_a_reader_of_blocks_is_told_at_the_end_that_they_were_wrong(folder):
    flip(entry_file(folder, LARGE), 1000)
    with Cache(folder) as cache:
        with pytest.raises(DamagedEntryError, match=key_of(LARGE)):
            b"".join(cache.blocks(key_of(LARGE)))
        assert cache.blocks(key_of(LARGE)) is None
        assert cache.get_file(key_of(LARGE)) is None


def test_a_damaged_entry_that_was_written_anew_meanwhile_stays(folder):
    flip(entry_file(folder, LARGE), 1000)
    with Cache(folder) as cache, Cache(folder) as other:
        blocks = cache.blocks(key_of(LARGE))
        next(blocks)
        other.put(key_of(LARGE), content_of(LARGE))
        with pytest.raises(DamagedEntryError):
            list(blocks)
        assert cache.get(key_of(LARGE)) == content_of(LARGE)


def test_an_entry_that_is_removed_while_it_is_read_is_read_to_its_end(folder):
    with Cache(folder) as cache, Cache(folder) as other:
        blocks = cache.blocks(key_of(LARGE))
        other.clear()
        assert b"".join(blocks) == content_of(LARGE)
        assert cache.get(key_of(LARGE)) is None


def test_files_that_went_missing_are_no_entries(folder):
    entry_file(folder, 2).unlink()
    with Cache(folder) as cache:
        assert right_answers(cache) == COUNT - 1
        assert cache.statistics.entries == COUNT - 1
        assert cache.statistics.size_bytes == sum(len(content_of(n)) for n in range(COUNT) if n != 2)


DAMAGE = {
    "no database": lambda path: path.write_bytes(b"no database at all" * 1000),
    "empty": lambda path: path.write_bytes(b""),
    "no header": lambda path: path.write_bytes(bytes(100) + path.read_bytes()[100:]),
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "zeros": lambda path: path.write_bytes(path.read_bytes()[:4096] + bytes(path.stat().st_size - 4096)),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_index_is_set_aside_told_and_made_anew_from_the_entries(folder, how, caplog):
    DAMAGE[how](folder / "v1" / "index-1.sqlite")
    with Cache(folder) as cache:
        assert right_answers(cache) == COUNT
        assert cache.statistics.entries == COUNT
        assert cache.statistics.size_bytes == sum(len(content_of(number)) for number in range(COUNT))
        cache.put(key_of(20), b"more")
    told = [record.getMessage() for record in caplog.records]
    if how in ("empty", "gone"):
        # As good as new: there is nothing to set aside.
        assert told == []
        return
    assert len(told) == 1
    assert "index-1.sqlite, is damaged" in told[0]
    assert "set aside" in told[0]
    with Cache(folder) as cache:
        assert cache.get(key_of(20)) == b"more"
        assert (folder / "v1" / "index-1.sqlite").exists()
        cache.clear()
        assert [path.name for path in folder.glob("v1/index-*.sqlite")] == ["index-2.sqlite"]


def test_an_index_that_lies_cannot_have_a_wrong_answer_given(folder):
    """Rows that name another's file, a checksum of nothing, or another size: the name of the file tells better."""
    one, other = (entry_file(folder, number).name.split(".")[1] for number in (1, LARGE))
    connection = sqlite3.connect(folder / "v1" / "index-1.sqlite")
    connection.execute("UPDATE entries SET sha256 = ? WHERE key = ?", (other, key_of(1)))
    connection.execute("UPDATE entries SET sha256 = ? WHERE key = ?", (one[::-1], key_of(2)))
    connection.execute("UPDATE entries SET size = 5 WHERE key = ?", (key_of(3),))
    connection.commit()
    connection.close()
    with Cache(folder) as cache:
        assert cache.get(key_of(1)) is None
        assert cache.get(key_of(2)) is None
        assert right_answers(cache) == COUNT - 2


@pytest.mark.parametrize("row", [("../../../outside", 5), (b"\xff", 5), (7.5, 5), (None, "many")])
def test_rows_that_cannot_be_are_damage(folder, row, caplog):
    outside = folder.parent / "outside"
    outside.write_text("not of the cache")
    connection = sqlite3.connect(folder / "v1" / "index-1.sqlite")
    sha256, size = row
    assignments = "sha256 = COALESCE(?, sha256), size = ?"
    connection.execute(f"UPDATE entries SET {assignments} WHERE key = ?", (sha256, size, key_of(1)))
    connection.commit()
    connection.close()
    with Cache(folder) as cache:
        assert right_answers(cache) == COUNT
    assert outside.exists()
    assert len(caplog.records) == 1


def test_random_damage_to_the_index_and_entries_is_survived(folder, tmp_path, caplog):
    caplog.set_level(logging.CRITICAL)
    chooser = random.Random(3)
    answers = 0
    for trial in range(60):
        damaged = tmp_path / "damaged"
        shutil.copytree(folder, damaged)
        files = [damaged / "v1" / "index-1.sqlite", *(entry_file(damaged, number) for number in range(COUNT))]
        for path in files if chooser.random() < 0.3 else files[:1]:
            data = bytearray(path.read_bytes())
            for _ in range(chooser.choice((1, 3, 40))):
                if data:
                    start = chooser.randrange(len(data))
                    data[start : start + 8] = chooser.randbytes(len(data[start : start + 8]))
            path.write_bytes(data)
        with Cache(damaged) as cache:
            answers += right_answers(cache)
            for number in range(COUNT):
                cache.put(key_of(number), content_of(number))
            assert right_answers(cache) == COUNT, trial
        with Cache(damaged, disk_bytes=10_000) as cache:
            cache.put(key_of(0), content_of(0))
            right_answers(cache)
        shutil.rmtree(damaged)
    assert answers > 60 * COUNT / 2


def test_an_index_that_is_damaged_while_it_is_open_is_replaced(folder, caplog):
    with Cache(folder, memory_bytes=0) as cache:
        assert right_answers(cache) == COUNT
        for path in folder.glob("v1/index-1.sqlite*"):
            size = path.stat().st_size
            with path.open("r+b") as file:
                file.write(b"x" * size)
        for _ in range(3):
            right_answers(cache)
            cache.put(key_of(1), content_of(1))
        assert right_answers(cache) == COUNT


def test_others_follow_to_the_new_index(folder, caplog):
    with Cache(folder, memory_bytes=0) as one, Cache(folder, memory_bytes=0) as other:
        assert (right_answers(one), right_answers(other)) == (COUNT, COUNT)
        (folder / "v1" / "index-2.sqlite").touch()
        one.put(key_of(20), b"in the new one")
        assert other.get(key_of(20)) == b"in the new one"
        assert right_answers(other) == COUNT
        assert other.statistics.entries == COUNT + 1


@pytest.mark.parametrize("what", ["", "v1", "v1/entries", "v1/pending", "v1/index-1.sqlite"])
def test_a_folder_that_is_removed_under_a_cache_is_made_again(folder, what):
    with Cache(folder) as cache:
        assert right_answers(cache) == COUNT
        gone = folder / what
        shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
        right_answers(cache)
        for number in range(COUNT):
            assert cache.put(key_of(number), content_of(number))
        assert right_answers(cache) == COUNT
        assert cache.statistics.entries == COUNT


def test_what_a_kill_left_between_file_and_index_is_mended_within_a_day(folder):
    clock = [1_900_000_000.0]
    with Cache(folder, clock=lambda: clock[0]) as cache:
        cache.put(key_of(20), b"mends for the first time")
        without_entry, beside = content_of(30), entry_file(folder, 1)
        place = beside.parent.parent / key_of(30)[:2]
        place.mkdir(exist_ok=True)
        (place / f"{key_of(30)}.{hashlib.sha256(without_entry).hexdigest()}").write_bytes(without_entry)
        (beside.parent / f"{key_of(1)}.{'0' * 64}").write_bytes(b"replaced by what there is now")
        entry_file(folder, 2).unlink()
        clock[0] += 80_000
        cache.put(key_of(21), b"not yet")
        assert cache.get(key_of(30)) is None
        clock[0] += 10_000
        cache.put(key_of(22), b"mends")
        assert cache.get(key_of(30)) == without_entry
        there = [number for number in range(COUNT) if number != 2]
        contents = [content_of(number) for number in (*there, 30)]
        contents += [b"mends for the first time", b"not yet", b"mends"]
        assert (cache.statistics.entries, cache.statistics.size_bytes) == (len(contents), sum(map(len, contents)))
        assert entry_file(folder, 1) == beside
        assert right_answers(cache) == COUNT - 1
