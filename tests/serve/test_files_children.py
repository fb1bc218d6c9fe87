"""The processes that read files: whatever happens to one, the server tells it clearly and goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from files_server import FileServer, children, running, silent_flac, wait_until

from unmuffle.models import default_model
from unmuffle.serve import media_limits, media_pool, uploads
from unmuffle.serve.errors_http import ApiError
from unmuffle.serve.media_pool import MediaLimits, MediaPool, TaskCancelledError, TaskHandle
from unmuffle.serve.media_tasks import do_task

LIMITS = MediaLimits(memory_bytes=2**30, cpu_s=30.0, file_bytes=2**30)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    with running(tmp_path_factory.mktemp("serve")) as found:
        yield found


@pytest.fixture
def pool(tmp_path) -> Iterator[MediaPool]:
    made = MediaPool(LIMITS, tmp_path)
    yield made
    made.close()


def enhancing(folder: Path, source: Path, **others: object) -> dict[str, object]:
    told = {"kind": "enhance", "files": {"file": str(source)}, "names": {"file": "talk.wav"}, "folder": str(folder)}
    return (
        told
        | {"max_s": 1e6, "format": "wav", "diagnose": False, "cache": None, "parameters": {"method": "wiener"}}
        | others
    )


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGKILL, 503), (signal.SIGSEGV, 422), (signal.SIGABRT, 422), (signal.SIGXCPU, 422)],
)
def test_one_that_ends_at_its_task_gives_a_clear_answer_and_the_next_request_works(server, number, status):
    answers = []
    body = silent_flac(1200.0)
    thread = threading.Thread(target=lambda: answers.append(server.client.post("/v1/enhance", content=body)))
    thread.start()
    wait_until(lambda: any(list(path.glob(".unmuffle-*")) for path in server.work.folder.path.glob("request-*")), 10.0)
    os.kill(max(children(), key=lambda child: child.cpu_ticks).pid, number)
    thread.join(20.0)
    (answer,) = answers
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]
    assert ("retry-after" in answer.headers) == (status == 503)
    server.wait_until_clean()
    assert server.client.post("/v1/enhance", content=silent_flac(1.0)).status_code == 200


def test_a_signal_to_end_all_processes_does_not_end_the_work_that_is_begun(server):
    assert server.client.post("/v1/enhance", content=silent_flac(1.0)).status_code == 200
    for child in children():
        for number in (signal.SIGTERM, signal.SIGINT):
            os.kill(child.pid, number)
    pids = [child.pid for child in children()]
    assert server.client.post("/v1/enhance", content=silent_flac(1.0)).status_code == 200
    assert [child.pid for child in children()] == pids


def test_one_that_died_while_it_waited_is_replaced(server):
    assert server.client.post("/v1/enhance", content=silent_flac(1.0)).status_code == 200
    for child in children():
        child.end(signal.SIGKILL)
    assert server.client.post("/v1/enhance", content=silent_flac(1.0)).status_code == 200


def test_one_is_used_again_and_replaced_after_some_tasks(pool, tmp_path, write_file, noisy_speech, monkeypatch):
    monkeypatch.setattr(media_pool, "TASKS_A_CHILD", 3)
    source = write_file(tmp_path / "talk.wav", noisy_speech(seconds=0.5))
    used = []
    for number in range(4):
        folder = tmp_path / str(number)
        folder.mkdir()
        pool.run(enhancing(folder, source))
        used.append(pool.pids)
    assert used[0] == used[1]
    assert used[2] == used[3] != used[1]
    assert [len(pids) for pids in used] == [1, 1, 1, 1]


def test_progress_is_told_and_ends_at_the_end(pool, tmp_path):
    source = tmp_path / "long.flac"
    source.write_bytes(silent_flac(20.0))
    told = []
    done = pool.run(enhancing(tmp_path, source), lambda done_s, total_s: told.append((done_s, total_s)))
    assert done["seconds"] == 20.0
    assert [seconds for seconds, _ in told] == sorted(seconds for seconds, _ in told)
    assert told[-1] == (20.0, 20.0)
    assert len(told) >= 10


def test_a_task_that_nobody_wants_any_more_ends_at_once(pool, tmp_path):
    source = tmp_path / "long.flac"
    source.write_bytes(silent_flac(3600.0))
    handle, begun, others = TaskHandle(), threading.Event(), children()
    caught = []

    def work():
        try:
            pool.run(enhancing(tmp_path, source), lambda *_: begun.set(), handle)
        except TaskCancelledError as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(20.0)
    (busy,) = (child for child in children() if child not in others)
    begun_s = time.monotonic()
    handle.cancel()
    thread.join(5.0)
    assert caught
    assert time.monotonic() - begun_s < 2.0
    assert not busy.is_alive


def test_a_task_cancelled_before_it_begins_never_does(pool, tmp_path):
    handle = TaskHandle()
    handle.cancel()
    with pytest.raises(TaskCancelledError):
        pool.run(enhancing(tmp_path, tmp_path / "x"), None, handle)


def test_silence_is_limited(tmp_path, monkeypatch):
    # One that says no more, as if a decoder hung without using the processor.
    monkeypatch.setattr(media_pool, "LEAST_WALL_S", 0.5)
    says = 'import time; print(\'{"ready": 1}\\n{"taken": 1}\\n{"told": [1, 2]}\', flush=True); time.sleep(600)'
    monkeypatch.setattr(media_pool, "_START", says)
    pool = MediaPool(MediaLimits(2**30, 0.1, 2**30), tmp_path)
    told = []
    begun_s = time.monotonic()
    with pytest.raises(ApiError) as caught:
        pool.run(enhancing(tmp_path, tmp_path / "x"), lambda *progress: told.append(progress))
    assert (caught.value.status, caught.value.code, told) == (503, "timed_out", [(1, 2)])
    assert time.monotonic() - begun_s < 5.0
    pool.close()


def test_long_audio_may_take_long_and_work_that_comes_no_further_may_not(monkeypatch):
    limits: dict[str, int] = {}
    monkeypatch.setattr(media_limits, "_cpu_s_used", lambda: 10.0)
    monkeypatch.setattr(media_limits, "_set", limits.__setitem__)
    task = media_limits.TaskLimits(5.0, 1000)
    assert limits == {"RLIMIT_CPU": 16, "RLIMIT_FSIZE": 1000}
    task.allow_for(100.0)
    assert limits["RLIMIT_CPU"] == 66


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA covers all memory on Linux alone")
def test_memory_is_limited(tmp_path):
    pool = MediaPool(MediaLimits(400 * 2**20, 60.0, 2**30), tmp_path)
    for name in ("noisy", "enhanced"):
        (tmp_path / name).write_bytes(silent_flac(900.0))
    files = {name: str(tmp_path / name) for name in ("noisy", "enhanced")}
    task = {"kind": "measure", "files": files, "names": files, "folder": str(tmp_path), "max_s": 1e6, "html": False}
    with pytest.raises(ApiError) as caught:
        pool.run(task)
    assert (caught.value.status, caught.value.code) == (422, "out_of_memory")
    pool.close()


def test_the_size_of_what_is_written_is_limited(tmp_path):
    pool = MediaPool(MediaLimits(2**30, 30.0, 1_000_000), tmp_path)
    (tmp_path / "long.flac").write_bytes(silent_flac(60.0))
    folder = tmp_path / "request"
    folder.mkdir()
    with pytest.raises(ApiError) as caught:
        pool.run(enhancing(folder, tmp_path / "long.flac"))
    assert (caught.value.status, caught.value.code) == (413, "result_too_large")
    assert list(folder.iterdir()) == []
    pool.close()


def test_a_full_disk_is_told_as_such_by_the_task(tmp_path, write_file, noisy_speech, monkeypatch):
    source = write_file(tmp_path / "talk.wav", noisy_speech(seconds=3.0))
    opened = Path.open

    def on_full_disk(path, mode="r", *arguments, **options):
        # Writing there fails as on a disk without room.
        hidden = path.name.startswith(".unmuffle-") and mode == "wb"
        return opened(Path("/dev/full") if hidden else path, mode, *arguments, **options)

    monkeypatch.setattr(Path, "open", on_full_disk)
    answer = do_task(enhancing(tmp_path, source), lambda *_: None)
    assert answer["failed"]["code"] == "disk_full"
    assert str(tmp_path) not in answer["failed"]["message"]
    assert media_pool._as_api_error(answer["failed"]).status == 507


def test_a_disk_that_fills_up_during_an_upload_is_told_as_such(server, monkeypatch):
    monkeypatch.setattr(uploads, "private_opener", lambda *_: os.open("/dev/full", os.O_WRONLY))
    for path in ("/v1/enhance", "/v1/jobs"):
        answer = server.client.post(path, content=silent_flac(1.0))
        assert (answer.status_code, answer.json()["error"]["code"]) == (507, "disk_full")
    server.wait_until_clean()


def test_they_know_nothing_secret_and_yield_to_live_streams(server, monkeypatch):
    monkeypatch.setenv("MY_SECRET_TOKEN", "s")
    for child in children():
        child.end(signal.SIGKILL)
    assert server.client.post("/v1/enhance", content=silent_flac(1.0)).status_code == 200
    (child, *_) = children()
    assert "MY_SECRET_TOKEN" not in child.environment
    assert child.nice > os.nice(0) or child.nice == 19
    assert child.limit("Max data size") == str(server.settings.decode_memory_bytes)
    assert child.limit("Max core file size") == "0"


def speaking(monkeypatch, *messages: object) -> None:
    """Have processes that say what a file that has taken them over may have them say."""
    lines = "\n".join(message if isinstance(message, str) else json.dumps(message) for message in messages)
    says = f"import sys, time; sys.stdout.buffer.write({lines.encode('latin-1')!r}); sys.stdout.flush(); time.sleep(60)"
    monkeypatch.setattr(media_pool, "_START", says)


@pytest.mark.parametrize(
    "said", ["\x80\x04cos\nsystem\n", "[]\n", '"x"\n', '{"told": 1}\n', '{"told": ["x", []]}\n', "{}\n"]
)
def test_what_a_process_says_cannot_become_code(pool, tmp_path, monkeypatch, said):
    speaking(monkeypatch, {"ready": True}, {"taken": True}, said)
    begun_s = time.monotonic()
    with pytest.raises(ApiError) as caught:
        pool.run(enhancing(tmp_path, tmp_path / "x"))
    assert caught.value.status in (422, 503)
    assert time.monotonic() - begun_s < 10.0


def test_a_process_cannot_have_the_server_hand_out_other_files(pool, tmp_path, monkeypatch):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    folder = tmp_path / "request"
    folder.mkdir()
    (folder / "link").symlink_to(secret)
    for place in (secret, folder / "link", folder / ".." / "secret", folder / "none"):
        speaking(monkeypatch, {"ready": True}, {"taken": True}, {"done": {"path": str(place)}}, "")
        with pytest.raises(ApiError) as caught:
            pool.run(enhancing(folder, secret))
        assert caught.value.code == "cannot_process"
        pool.close()


def test_processes_that_cannot_be_started_are_told(tmp_path, monkeypatch):
    pool = MediaPool(LIMITS, tmp_path)
    monkeypatch.setattr(media_pool, "_START", "raise SystemExit(1)")
    with pytest.raises(ApiError) as caught:
        pool.run(enhancing(tmp_path, tmp_path / "x"))
    assert (caught.value.status, caught.value.retry_after_s) == (503, 5.0)
    monkeypatch.setattr(media_pool.sys, "executable", "/nowhere/python")
    with pytest.raises(ApiError) as caught:
        pool.run(enhancing(tmp_path, tmp_path / "x"))
    assert caught.value.status == 503


def test_a_process_whose_progress_could_not_be_told_is_not_used_again(pool, tmp_path):
    (tmp_path / "long.flac").write_bytes(silent_flac(600.0))

    busy, others = [], children()

    def tell(_done_s, _total_s):
        busy.extend(child for child in children() if child not in others)
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        pool.run(enhancing(tmp_path, tmp_path / "long.flac"), tell)
    assert [child.is_alive for child in busy] == [False]


def test_a_model_file_that_is_gone_is_told(tmp_path, write_file, noisy_speech):
    source = write_file(tmp_path / "talk.wav", noisy_speech(seconds=0.5))
    gone = {"model": str(tmp_path / "gone.onnx")}
    answer = do_task(enhancing(tmp_path, source, parameters=gone), lambda *_: None)
    assert answer["failed"]["code"] == "model"
    assert np.all([path.suffix != ".tmp" for path in tmp_path.iterdir()])


def test_a_servers_own_model_that_is_gone_is_the_servers_fault_and_its_place_is_not_told(tmp_path):
    model = Path(shutil.copy(default_model().path, tmp_path / "own.onnx"))
    with running(tmp_path / "temporary", model=str(model)) as server:
        assert server.client.post("/v1/enhance", content=silent_flac(1.0)).status_code == 200
        model.unlink()
        job = server.client.post("/v1/jobs", content=silent_flac(1.0))
        for answer in (job, server.client.post("/v1/enhance", content=silent_flac(1.0))):
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model")
            assert int(answer.headers["retry-after"]) >= 1
            assert str(tmp_path) not in answer.text
        # What needs no network goes on.
        answer = server.client.post("/v1/enhance", params={"method": "wiener"}, content=silent_flac(1.0))
        assert answer.status_code == 200
        server.wait_until_clean()


def test_a_model_that_goes_while_a_file_waits_is_told_likewise(pool, tmp_path, write_file, noisy_speech):
    source = write_file(tmp_path / "talk.wav", noisy_speech(seconds=0.5))
    with pytest.raises(ApiError) as caught:
        pool.run(enhancing(tmp_path, source, parameters={"model": str(tmp_path / "gone.onnx")}))
    assert (caught.value.status, caught.value.code) == (503, "model")
    assert "Retry-After" in caught.value.headers
    assert str(tmp_path) not in caught.value.message
