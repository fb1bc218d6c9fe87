"""A cache that cannot be written or read is silent but for one warning, and never in the way."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from cache_contents import content_of, key_of

import unmuffle
from unmuffle.cache import Cache
from unmuffle.cache import index as index_module

RATE = 16_000
NOBODY = 65_534


@pytest.fixture
def source(tmp_path, noisy_speech, write_file):
    return write_file(tmp_path / "noisy.wav", noisy_speech(RATE, seconds=2.0), RATE)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 400 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "none", str(folder)]
    if sys.platform != "linux" or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a file system of a few bytes cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def enhances_all_the_same(source, cache):
    """Enhance with a cache, compare with the result without one, and return the report."""
    plain, with_cache = source.with_name("plain.wav"), source.with_name("cached.wav")
    enhancer = unmuffle.Enhancer("wiener")
    enhancer.enhance_file(source, plain, overwrite=True)
    report = enhancer.enhance_file(source, with_cache, overwrite=True, cache=cache)
    assert with_cache.read_bytes() == plain.read_bytes()
    return report


def test_on_a_full_disk_what_fits_is_kept_and_all_else_goes_on(small_disk, source, caplog):
    with Cache(small_disk, memory_bytes=0) as cache:
        kept = [number for number in range(12) if cache.put(key_of(number), bytes([number]) * 60_000)]
        assert 2 <= len(kept) < 12
        assert len(caplog.records) >= 1
        assert "No space left on device" in caplog.text or "disk is full" in caplog.text
        for number in range(12):
            assert cache.get(key_of(number)) in (None, bytes([number]) * 60_000)
        assert list((small_disk / "v1" / "pending").iterdir()) == []
        assert not enhances_all_the_same(source, cache).from_cache
        assert not enhances_all_the_same(source, cache).from_cache
        told = len(caplog.records)
        cache.put(key_of(1), bytes(60_000))
        assert len(caplog.records) == told


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])
def test_a_write_that_fails_leaves_nothing_and_is_told_once(tmp_path, monkeypatch, source, caplog, code):
    with Cache(tmp_path / "cache") as cache:
        cache.put(key_of(0), content_of(0))

        def fsync(handle):
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr("unmuffle.cache.entry_files.os.fsync", fsync)
        for _ in range(3):
            assert not cache.put(key_of(1), content_of(1))
            assert not cache.put(key_of(0), b"new")
        assert cache.get(key_of(1)) is None
        assert len(caplog.records) == 1
        assert os.strerror(code) in caplog.text
        assert list(cache.folder.glob("v1/pending/*")) == []
        monkeypatch.undo()
        assert cache.put(key_of(1), content_of(1))


def test_a_folder_that_cannot_be_made_is_no_obstacle(tmp_path, source, caplog):
    file = tmp_path / "file"
    file.write_text("in the way")
    with Cache(file / "cache") as cache:
        assert not enhances_all_the_same(source, cache).from_cache
        assert cache.get(key_of(0)) is None
        assert cache.statistics.entries == 0
    assert "is of no use here" in caplog.text
    assert len(caplog.records) <= 3


READ_ONLY = """
import sys
from cache_contents import content_of, key_of
from unmuffle.cache import Cache
import os, logging
os.setgroups([])
os.setgid({nobody})
os.setuid({nobody})
cache = Cache(sys.argv[1])
assert cache.get(key_of(3)) == content_of(3)
assert not cache.put(key_of(4), b"new")
assert cache.get(key_of(4)) is None
assert cache.statistics.entries in (0, 1)
"""


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("closed", [True, False])
def test_a_folder_that_may_only_be_read_still_answers(closed):
    # Not below pytest's own folder, into which nobody else may look.
    with tempfile.TemporaryDirectory() as folder:
        answers_to_nobody(Path(folder), closed)


def answers_to_nobody(folder, closed):
    cache = Cache(folder)
    cache.put(key_of(3), content_of(3))
    if closed:
        cache.close()
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    code = READ_ONLY.format(nobody=NOBODY)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        [sys.executable, "-c", code, folder], check=False, capture_output=True, text=True, env=environment
    )
    cache.close()
    assert done.returncode == 0, done.stderr
    assert 1 <= done.stderr.count("is of no use here") <= 3


def test_an_index_that_another_process_holds_is_not_waited_for_for_ever(tmp_path, monkeypatch, source, caplog):
    monkeypatch.setattr(index_module, "BUSY_S", 0.1)
    with Cache(tmp_path / "cache") as cache:
        cache.put(key_of(0), content_of(0))
    with Cache(tmp_path / "cache", memory_bytes=0) as cache:
        cache.get(key_of(0))
        holder = sqlite3.connect(tmp_path / "cache" / "v1" / "index-1.sqlite", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        assert cache.get(key_of(0)) == content_of(0)
        assert not cache.put(key_of(1), content_of(1))
        assert not enhances_all_the_same(source, cache).from_cache
        holder.execute("ROLLBACK")
        holder.close()
        assert cache.put(key_of(1), content_of(1))
    assert "database is locked" in caplog.text


def test_a_source_that_cannot_be_read_is_not_kept(tmp_path, caplog):
    with Cache(tmp_path / "cache") as cache:
        assert not cache.put_file(key_of(0), tmp_path / "missing")
        assert not cache.put_file(key_of(0), tmp_path)
        assert cache.get(key_of(0)) is None


def test_arrays_are_enhanced_without_a_cache_that_works(tmp_path, noisy_speech, caplog):
    (tmp_path / "file").write_text("in the way")
    noisy = noisy_speech(RATE, seconds=1.0)
    with Cache(tmp_path / "file") as cache:
        clear = unmuffle.enhance(noisy, RATE, method="wiener", cache=cache)
    np.testing.assert_array_equal(clear, unmuffle.enhance(noisy, RATE, method="wiener"))
