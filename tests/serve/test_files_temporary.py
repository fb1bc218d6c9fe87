"""Private folders: they are private, and gone with their process, however that ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from files_server import children, process_running, silent_flac, wait_until

from unmuffle.errors import UnmuffleError
from unmuffle.serve.temporary import PREFIX, PrivateFolder

OWNER = """
import sys, time
from unmuffle.serve.temporary import PrivateFolder
folder = PrivateFolder(sys.argv[1])
(folder.make("request") / "upload").write_bytes(b"private")
print(folder.path, flush=True)
time.sleep(600)
"""


@pytest.fixture
def owner(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_folder_is_ours_alone_and_goes_with_close(tmp_path):
    folder = PrivateFolder(tmp_path)
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert folder.make("request").stat().st_mode & 0o777 == 0o700
    folder.close()
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_leaves_the_living_and_removes_the_killed(tmp_path, owner):
    folder = PrivateFolder(tmp_path)
    assert folder.sweep() == 0
    assert len(list(tmp_path.iterdir())) == 2
    owner.kill()
    owner.wait()
    assert folder.sweep() == 1
    assert list(tmp_path.iterdir()) == [folder.path]
    folder.close()


def test_a_sweep_leaves_what_is_not_ours(tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    (tmp_path / f"{PREFIX}link").symlink_to(precious, target_is_directory=True)
    (tmp_path / f"{PREFIX}file").touch()
    (tmp_path / f"{PREFIX}being_made").mkdir()
    folder = PrivateFolder(tmp_path)
    assert folder.sweep() == 0
    assert (precious / "file").exists()
    folder.close()


def test_a_folder_without_an_owner_goes_after_a_while(tmp_path):
    old = tmp_path / f"{PREFIX}old"
    old.mkdir()
    os.utime(old, (time.time() - 3600, time.time() - 3600))
    folder = PrivateFolder(tmp_path)
    assert folder.sweep() == 1
    folder.close()


def test_a_place_where_nothing_can_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UnmuffleError, match="no folder for temporary files"):
        PrivateFolder(tmp_path / "file")


def test_a_server_that_is_killed_leaves_no_process_and_the_next_one_removes_its_files(tmp_path):
    with process_running(tmp_path) as (process, client):
        assert client.post("/v1/jobs", content=silent_flac(3600.0)).status_code == 202
        wait_until(lambda: bool(list(tmp_path.glob("*/job-*/.unmuffle-*"))), 30.0)
        crew = children(process.pid)
        assert crew
        process.end(signal.SIGKILL)
        wait_until(lambda: not any(child.is_alive for child in crew), 5.0)
    assert list(tmp_path.glob("*/job-*/upload-file"))
    folder = PrivateFolder(tmp_path)
    folder.sweep()
    assert list(tmp_path.glob(f"{PREFIX}*")) == [folder.path]
    folder.close()


def test_what_a_server_takes_and_gives_does_not_pass_through_its_memory(tmp_path):
    with process_running(tmp_path) as (process, client):
        assert client.post("/v1/enhance", content=silent_flac(1.0)).status_code == 200
        before = process.peak_bytes
        assert client.post("/v1/enhance", content=(bytes(2**20) for _ in range(100))).status_code == 415
        answer = client.post("/v1/enhance", content=silent_flac(300.0))
        assert len(answer.content) > 28_000_000
        assert process.peak_bytes - before < 8_000_000
