"""Jobs: queued, watched, fetched, cancelled, expired; by whichever worker is asked."""

from __future__ import annotations

import errno
import json
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import httpx
import numpy as np
import pytest
from files_server import FileServer, decoded, running, silent_flac, wait_until

from unmuffle import Enhancer
from unmuffle.serve import routes_jobs
from unmuffle.serve.errors_http import ApiError

LONG = silent_flac(3600.0)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    with running(tmp_path_factory.mktemp("serve"), max_jobs=1, max_jobs_waiting=2, jobs_per_client=None) as found:
        yield found


def send(server: FileServer, body: bytes, **query: str) -> dict[str, str]:
    answer = server.client.post("/v1/jobs", params=query, files={"file": ("talk.flac", body)})
    assert answer.status_code == 202, answer.text
    return answer.json()


def state_of(server: FileServer, job: dict[str, str]) -> str:
    return server.client.get(job["status_url"]).json()["state"]


def events_of(client: httpx.Client, url: str) -> list[tuple[str, dict[str, object]]]:
    found = []
    with client.stream("GET", url) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        kind = ""
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                found.append((kind, json.loads(value)))
    return found


def delete(server: FileServer, *jobs: dict[str, str]) -> None:
    for job in jobs:
        while server.client.delete(job["status_url"]).status_code != 404:
            time.sleep(0.05)


def forget(server: FileServer, *jobs: dict[str, str]) -> None:
    delete(server, *jobs)
    server.wait_until_clean()


def test_a_job_is_watched_to_its_end_and_gives_what_enhance_file_gives(server, tmp_path, write_file, noisy_speech):
    talk = write_file(tmp_path / "talk.flac", noisy_speech(seconds=30.0))
    job = send(server, talk.read_bytes(), format="flac", strength="0.8")
    told = events_of(server.client, job["events_url"])
    assert [kind for kind, _ in told[:-1]] == ["progress"] * (len(told) - 1)
    assert (told[-1][0], told[-1][1]["state"], told[-1][1]["progress"]) == ("done", "done", 1.0)
    shares = [about["progress"] for _, about in told]
    assert shares == sorted(shares)
    assert len(set(shares)) >= 2
    result = server.client.get(job["result_url"])
    assert result.headers["content-disposition"] == 'attachment; filename="talk.clear.flac"'
    Enhancer(strength=0.8).enhance_file(talk, tmp_path / "wanted.flac")
    np.testing.assert_array_equal(decoded(result.content)[0], decoded((tmp_path / "wanted.flac").read_bytes())[0])
    forget(server, job)


def test_parts_of_a_result_can_be_fetched(server):
    job = send(server, silent_flac(3.0))
    assert events_of(server.client, job["events_url"])[-1][0] == "done"
    whole = server.client.get(job["result_url"])
    part = server.client.get(job["result_url"], headers={"Range": "bytes=100-299"})
    rest = server.client.get(job["result_url"], headers={"Range": "bytes=300-", "If-Range": whole.headers["etag"]})
    assert (part.status_code, part.content) == (206, whole.content[100:300])
    assert (rest.status_code, rest.content) == (206, whole.content[300:])
    assert server.client.get(job["result_url"], headers={"Range": "bytes=999999999-"}).status_code == 416
    forget(server, job)
    assert server.client.get(job["result_url"]).status_code == 404


def test_a_file_that_fails_says_why(server):
    job = send(server, b"a letter\n" * 100)
    kind, told = events_of(server.client, job["events_url"])[-1]
    assert (kind, told["state"], told["error"]["code"]) == ("failed", "failed", "not_audio")
    assert told["error"]["message"].startswith("talk.flac is not audio")
    assert server.client.get(job["result_url"]).status_code == 409
    folder = server.work.jobs.folder_of(job["id"])
    assert [path.name for path in folder.iterdir()] == ["job.json"]
    forget(server, job)


def test_a_running_job_is_cancelled_at_once(server):
    job = send(server, LONG)
    wait_until(lambda: state_of(server, job) == "running", 10.0)
    assert server.client.get(job["result_url"]).status_code == 409
    watched: list[object] = []
    other = httpx.Client(base_url=server.client.base_url, timeout=30.0)
    thread = threading.Thread(target=lambda: watched.extend(events_of(other, job["events_url"])))
    thread.start()
    time.sleep(0.5)
    begun_s = time.monotonic()
    assert server.client.delete(job["status_url"]).status_code == 204
    thread.join(10.0)
    other.close()
    assert time.monotonic() - begun_s < 2.0
    assert watched[-1][0] == "cancelled"
    forget(server, job)


def test_only_so_many_jobs_wait_and_others_are_told_when_to_come_again(server):
    jobs = [send(server, LONG)]
    wait_until(lambda: state_of(server, jobs[0]) == "running", 10.0)
    jobs += [send(server, LONG), send(server, LONG)]
    assert [state_of(server, job) for job in jobs] == ["running", "queued", "queued"]
    refused = server.client.post("/v1/jobs", content=LONG)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    # A client that waits for its file is served beside them.
    assert server.client.post("/v1/enhance", content=silent_flac(1.0)).status_code == 200
    server.client.delete(jobs[1]["status_url"])
    assert state_of(server, jobs[1]) == "cancelled"
    jobs.append(send(server, silent_flac(1.0)))
    delete(server, jobs[0], jobs[2])
    assert events_of(server.client, jobs[3]["events_url"])[-1][0] == "done"
    forget(server, jobs[1], jobs[3])


def test_a_client_has_a_bounded_number_of_jobs(tmp_path):
    with running(tmp_path, jobs_per_client=1) as server:
        job = send(server, LONG)
        assert server.client.post("/v1/jobs", content=LONG).status_code == 429
        forget(server, job)
        forget(server, send(server, silent_flac(1.0)))


def test_results_expire(tmp_path):
    with running(tmp_path, result_kept_s=1.0) as server:
        job = send(server, silent_flac(1.0))
        assert events_of(server.client, job["events_url"])[-1][0] == "done"
        assert server.client.get(job["result_url"]).status_code == 200
        server.wait_until_clean()
        assert server.client.get(job["status_url"]).status_code == 404


def test_no_job_is_taken_while_results_fill_the_room(tmp_path):
    with running(tmp_path, max_results_bytes=1000) as server:
        job = send(server, silent_flac(1.0))
        assert events_of(server.client, job["events_url"])[-1][0] == "done"
        refused = server.client.post("/v1/jobs", content=silent_flac(1.0))
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "no_room")
        forget(server, job)
        forget(server, send(server, silent_flac(1.0)))


def test_another_worker_can_tell_fetch_and_cancel(server):
    with running(Path(server.settings.temp_dir)) as other:
        done, long = send(server, silent_flac(2.0), format="flac"), send(server, LONG)
        assert events_of(other.client, done["events_url"])[-1][0] == "done"
        assert other.client.get(done["result_url"]).content == server.client.get(done["result_url"]).content
        wait_until(lambda: state_of(other, long) == "running", 10.0)
        assert other.client.delete(long["status_url"]).status_code == 204
        wait_until(lambda: state_of(other, long) == "cancelled", 5.0)
        assert other.client.delete(done["status_url"]).status_code == 204
        assert server.client.get(done["result_url"]).status_code == 404
    forget(server, long)


def test_a_job_of_a_worker_that_was_killed_is_told_as_failed(server):
    # Its folder, as it is left behind; nobody holds the lock.
    home = Path(server.settings.temp_dir) / "unmuffle-files-deadbeef"
    folder = home / f"job-{'0' * 32}"
    folder.mkdir(parents=True)
    (home / "lock").touch()
    told = {"id": "x", "client": "c", "state": "running", "progress": 0.5, "error": None, "result": None}
    (folder / "job.json").write_text(json.dumps(told))
    answer = server.client.get(f"/v1/jobs/deadbeef-{'0' * 32}")
    assert (answer.json()["state"], answer.json()["error"]["code"]) == ("failed", "interrupted")
    assert server.work.folder.sweep() == 1


@pytest.mark.parametrize("job_id", ["x", "..", "%2e%2e%2fetc", f"deadbeef-{'0' * 32}", f"../x-{'0' * 32}", "a" * 5000])
def test_a_job_that_there_is_not_is_not_found(server, job_id):
    for path in ("", "/events", "/result"):
        assert server.client.get(f"/v1/jobs/{job_id}{path}").status_code == 404
    assert server.client.delete(f"/v1/jobs/{job_id}").status_code == 404


def test_a_job_of_another_key_is_not_found(tmp_path):
    keys = ("um_one", "um_two")
    hashes = tuple(sha256(key.encode()).hexdigest() for key in keys)
    with running(tmp_path, api_keys=hashes) as server:
        own, others = ({"Authorization": f"Bearer {key}"} for key in keys)
        job = server.client.post("/v1/jobs", content=silent_flac(1.0), headers=own).json()
        for method, url in (
            ("GET", "status_url"),
            ("GET", "events_url"),
            ("GET", "result_url"),
            ("DELETE", "status_url"),
        ):
            assert server.client.request(method, job[url], headers=others).status_code == 404
        assert server.client.get(job["status_url"], headers=own).status_code == 200
        assert server.client.post("/v1/jobs", content=silent_flac(1.0)).status_code == 401


def test_a_watcher_hears_that_the_server_is_still_there(server, monkeypatch):
    monkeypatch.setattr(routes_jobs, "HEARTBEAT_S", 0.3)
    jobs = [send(server, LONG), send(server, LONG)]
    with server.client.stream("GET", jobs[1]["events_url"]) as answer:
        lines = iter(answer.iter_lines())
        assert any(line.startswith(":") for line, _ in zip(lines, range(20), strict=False))
    forget(server, *jobs)


def test_a_watcher_hears_of_a_job_that_is_gone_with_its_process(server, monkeypatch):
    job = send(server, LONG)
    look, asked = server.work.jobs.look, []

    def gone_later(*arguments):
        asked.append(arguments)
        if len(asked) > 3:
            raise ApiError(404, "there is no such job")
        return look(*arguments)

    monkeypatch.setattr(server.work.jobs, "look", gone_later)
    kind, told = events_of(server.client, job["events_url"])[-1]
    assert (kind, told["id"], told["state"], told["error"]["code"]) == ("failed", job["id"], "failed", "gone")
    monkeypatch.undo()
    forget(server, job)


def test_a_disk_that_fills_up_loses_no_job_that_is_done(server, monkeypatch):
    job = send(server, silent_flac(120.0))
    tell = type(server.work.jobs)._tell

    def on_full_disk(queue, job):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(type(server.work.jobs), "_tell", on_full_disk)
    assert events_of(server.client, job["events_url"])[-1][0] == "done"
    assert server.client.get(job["result_url"]).status_code == 200
    refused = server.client.post("/v1/jobs", content=silent_flac(1.0))
    assert (refused.status_code, refused.json()["error"]["code"]) == (507, "disk_full")
    monkeypatch.setattr(type(server.work.jobs), "_tell", tell)
    forget(server, job)


def test_a_server_that_stops_ends_its_jobs_and_leaves_nothing(tmp_path):
    with running(tmp_path, drain_s=0.5) as server:
        send(server, LONG)
        send(server, LONG)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_stops_lets_a_job_that_is_nearly_done_come_to_its_end(tmp_path):
    with running(tmp_path, drain_s=20.0) as server:
        job = send(server, silent_flac(200.0))
        wait_until(lambda: state_of(server, job) == "running", 10.0)
        ended = server.work.jobs._jobs[job["id"]]
    assert ended.state == "done"
