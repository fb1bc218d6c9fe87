"""``unmuffle serve`` is told to stop while files are worked on: whoever waits hears of it in time, and in words."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time

import httpx
import pytest
from files_server import silent_flac, wait_until
from live_server import Serving, serving_process

LONG = silent_flac(4 * 3600.0 - 10.0, 8000)


def ask(server: Serving, method: str, path: str, **options: object) -> httpx.Response:
    return httpx.request(method, server.url + path, timeout=60.0, **options)


def test_what_runs_too_long_is_ended_and_everyone_is_told():
    with serving_process("--drain-s", "1") as server:
        answers: dict[str, httpx.Response] = {}
        assert ask(server, "POST", "/v1/enhance", content=silent_flac(1.0)).status_code == 200
        jobs = [ask(server, "POST", "/v1/jobs", content=LONG).json() for _ in range(3)]
        wanted = {"file": ("POST", "/v1/enhance", {"content": LONG})}
        wanted |= {f"job {at}": ("GET", job["events_url"], {}) for at, job in enumerate(jobs)}

        def keep(name: str, method: str, path: str, options: dict[str, object]) -> None:
            answers[name] = ask(server, method, path, **options)

        threads = [threading.Thread(target=keep, args=(name, *told)) for name, told in wanted.items()]
        for thread in threads:
            thread.start()
        running = lambda: [  # noqa: E731
            ask(server, "GET", job["status_url"]).json()["state"] for job in jobs
        ]
        wait_until(lambda: running() == ["running", "running", "queued"], 10.0)
        time.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        begun_s = time.monotonic()
        for thread in threads:
            thread.join(30.0)
        assert server.process.wait(20.0) == 0
        assert 1.0 < time.monotonic() - begun_s < 5.0
    refused = answers.pop("file")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "draining")
    assert int(refused.headers["retry-after"]) >= 1
    for answer in answers.values():
        kind, told = answer.text.strip().split("\n\n")[-1].split("\n")
        assert kind == "event: failed"
        assert json.loads(told.removeprefix("data: "))["error"]["code"] == "interrupted"
    assert not [line for line in server.log if line.get("level") == "error"]


@pytest.mark.parametrize("comes", [True, False], ids=["comes slowly", "has stopped"])
def test_an_upload_that_does_not_end_is_refused_in_words(comes):
    with serving_process("--drain-s", "0.3") as server, socket.create_connection(("127.0.0.1", server.port)) as slow:
        slow.settimeout(10.0)
        slow.sendall(b"POST /v1/enhance HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nRIFF")
        time.sleep(0.3)
        begun_s = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        ended = threading.Event()

        def trickle() -> None:
            while comes and not ended.wait(0.1):
                try:
                    slow.sendall(b"x")
                except OSError:
                    return

        thread = threading.Thread(target=trickle)
        thread.start()
        answer = slow.recv(4096)
        ended.set()
        thread.join()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1" in answer.lower()
        assert server.process.wait(10.0) == 0
        assert time.monotonic() - begun_s < 6.0


def test_what_can_be_done_in_time_is_done():
    with serving_process("--drain-s", "20") as server:
        assert ask(server, "POST", "/v1/enhance", content=silent_flac(1.0)).status_code == 200
        answers: list[httpx.Response] = []
        body = silent_flac(300.0)
        thread = threading.Thread(target=lambda: answers.append(ask(server, "POST", "/v1/enhance", content=body)))
        thread.start()
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        thread.join(30.0)
        assert server.process.wait(20.0) == 0
    assert answers[0].status_code == 200
    assert len(answers[0].content) > 28_000_000
