"""A disk that is really full: a small one of our own, in a private view of the file system."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from files_server import silent_flac, wait_until
from live_server import Serving, serving_process

import unmuffle
from unmuffle.serve.client import open_stream

RATE = 16_000
ROOM_BYTES = 8_000_000
UNSHARE = ("unshare", "--map-root-user", "--mount", "sh", "-c")
MOUNT = f"mount -t tmpfs -o size={ROOM_BYTES} none $0"


def can_mount(folder: Path) -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*UNSHARE, MOUNT, str(folder)], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("small")
    if not can_mount(folder):
        pytest.skip("no disk of one's own can be mounted here")
    before = [*UNSHARE, f'{MOUNT} && exec "$@"', str(folder)]
    with serving_process("--temp-dir", str(folder), before=before) as found:
        yield found


def post(server: Serving, path: str, body: object, **query: str) -> httpx.Response:
    return httpx.post(server.url + path, content=body, params=query, timeout=60.0)


def pieces(megabytes: int) -> Iterator[bytes]:
    return (bytes(1_000_000) for _ in range(megabytes))


def test_an_upload_that_does_not_fit_is_told_so_and_gives_its_room_back(server):
    for path in ("/v1/enhance", "/v1/jobs", "/v1/analyze"):
        answer = post(server, path, pieces(20))
        assert (answer.status_code, answer.json()["error"]["code"]) == (507, "disk_full"), path
        assert post(server, "/v1/enhance", silent_flac(1.0)).status_code == 200


def test_a_result_that_does_not_fit_is_told_so_and_gives_its_room_back(server):
    answer = post(server, "/v1/enhance", silent_flac(200.0))
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "disk_full")
    job = post(server, "/v1/jobs", silent_flac(200.0)).json()
    told = httpx.get(server.url + job["events_url"], timeout=60.0).text
    assert '"code": "disk_full"' in told
    assert httpx.get(server.url + job["result_url"]).status_code == 409
    assert post(server, "/v1/enhance", silent_flac(60.0)).status_code == 200


def test_live_streams_notice_nothing(server, noisy_speech):
    audio = noisy_speech(RATE, 2.0)[0].astype(np.float32)
    refused: list[int] = []
    stop = threading.Event()

    def fill() -> None:
        while not stop.is_set():
            refused.append(post(server, "/v1/enhance", pieces(20)).status_code)

    filling = threading.Thread(target=fill)
    filling.start()
    try:
        with open_stream(server.url, RATE, reconnect=False) as stream:
            heard = []
            for at in range(0, len(audio), 320):
                stream.send(audio[at : at + 320])
                while (answer := stream.receive(0.02)) is not None:
                    heard.append(answer[1])
            wait_until(lambda: len(refused) >= 2, 20.0)
            stream.finish()
            heard.extend(block for _, block in stream)
    finally:
        stop.set()
        filling.join()
    alone = unmuffle.open_stream(RATE)
    np.testing.assert_allclose(np.concatenate(heard), np.concatenate((alone.process(audio), alone.flush())), atol=1e-4)
    assert set(refused) == {507}
    assert httpx.get(f"{server.url}/metrics").status_code == 200
    assert not [line for line in server.log if line.get("level") == "error"]
