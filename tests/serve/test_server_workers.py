"""Several worker processes are one server for jobs: any of them tells of a job, whichever does it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from files_server import silent_flac, wait_until
from live_server import Serving, serving_process

LONG = silent_flac(3600.0)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc")


def from_each_worker(server: Serving, ask: Callable[[str], httpx.Response], workers: int = 2) -> list[httpx.Response]:
    """Ask, each time by a new connection, until every worker has answered; the log tells which."""
    answers: dict[int, httpx.Response] = {}
    until_s = time.monotonic() + 20.0
    number = 0
    while len(answers) < workers:
        assert time.monotonic() < until_s, f"only {sorted(answers)} have answered"
        number += 1
        name = f"ask-{time.monotonic_ns()}"
        answer = ask(name)

        def lines(name: str = name) -> list[dict]:
            return [line for line in list(server.log) if line.get("request_id") == name]

        wait_until(lambda lines=lines: bool(lines()), 5.0)
        answers[lines()[0]["worker"]] = answer
    return list(answers.values())


def get(server: Serving, path: str, **headers: str) -> Callable[[str], httpx.Response]:
    return lambda name: httpx.get(server.url + path, headers={"X-Request-Id": name, **headers}, timeout=30.0)


def workers_of(process: int) -> list[int]:
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def test_any_worker_tells_fetches_and_cancels(tmp_path):
    with serving_process("--workers", "2", "--temp-dir", str(tmp_path)) as server:
        from_each_worker(server, get(server, "/v1/presets"))
        job = httpx.post(f"{server.url}/v1/jobs", content=silent_flac(2.0)).json()
        wait_until(lambda: get(server, job["status_url"])("x").json()["state"] == "done", 30.0)
        assert {answer.json()["state"] for answer in from_each_worker(server, get(server, job["status_url"]))} == {
            "done"
        }
        results = from_each_worker(server, get(server, job["result_url"]))
        assert results[0].content == results[1].content
        assert [answer.status_code for answer in results] == [200, 200]
        events = from_each_worker(server, get(server, job["events_url"]))
        assert all("event: done" in answer.text for answer in events)

        long = httpx.post(f"{server.url}/v1/jobs", content=LONG).json()
        from_each_worker(
            server, lambda name: httpx.delete(server.url + long["status_url"], headers={"X-Request-Id": name})
        )
        wait_until(lambda: get(server, long["status_url"])("x").status_code in (200, 404), 5.0)
        wait_until(lambda: "running" not in get(server, long["status_url"])("x").text, 5.0)


def test_the_log_tells_what_a_job_came_to_under_the_id_of_the_request_that_sent_it(tmp_path):
    with serving_process("--temp-dir", str(tmp_path)) as server:
        ends = {}
        for name, body in (("good", silent_flac(1.0)), ("bad", b"a letter")):
            job = httpx.post(f"{server.url}/v1/jobs", content=body, headers={"X-Request-Id": name}).json()
            ends[name] = job["id"]
            wait_until(lambda job=job: get(server, job["status_url"])("x").json()["state"] in ("done", "failed"), 30.0)

        def told() -> dict[str, dict]:
            return {line["request_id"]: line for line in list(server.log) if line["event"] == "job ended"}

        wait_until(lambda: len(told()) == 2, 5.0)
        assert {name: line["job"] for name, line in told().items()} == ends
        assert (told()["good"]["state"], told()["bad"]["state"]) == ("done", "failed")
        assert told()["bad"]["code"] == "not_audio"


def test_a_worker_that_dies_takes_its_own_jobs_with_it_and_no_others(tmp_path):
    with serving_process("--workers", "2", "--temp-dir", str(tmp_path)) as server:
        from_each_worker(server, get(server, "/v1/presets"))
        jobs: dict[str, dict] = {}
        while len(jobs) < 2:
            job = httpx.post(f"{server.url}/v1/jobs", content=silent_flac(1.0)).json()
            jobs.setdefault(job["id"].split("-")[0], job)
        for job in jobs.values():
            wait_until(lambda job=job: get(server, job["status_url"])("x").json()["state"] == "done", 30.0)
        os.kill(workers_of(server.process.pid)[0], signal.SIGKILL)
        wait_until(lambda: any("replaced" in line["event"] for line in list(server.log)), 20.0)
        from_each_worker(server, get(server, "/v1/presets"))

        def states() -> list[int]:
            return sorted(get(server, job["result_url"])("x").status_code for job in jobs.values())

        # The result went with its worker's folder, once the one that came after had swept it.
        wait_until(lambda: states() == [200, 404], 20.0)
