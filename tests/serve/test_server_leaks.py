"""A server that clients come to and leave all the time has, after the thousandth, what it had after the hundredth."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest
from files_server import silent_flac
from live_server import Serving, eventually, fetch, metric, serving_process
from raw_websocket import RawClient, frame

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

GROWTH_BYTES = 12 * 2**20


def resident_bytes(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def held(process: int) -> tuple[int, int]:
    """Open files and threads."""
    place = Path(f"/proc/{process}")
    return len(list((place / "fd").iterdir())), len(list((place / "task").iterdir()))


def come_and_go(port: int, times: int) -> None:
    """Leave in every way: by a close, by a reset, in the middle of a frame, before the hello, after garbage."""
    for turn in range(times):
        client = RawClient(port, hello=None) if turn % 5 == 3 else RawClient(port)
        if turn % 5 == 2:
            client.send(frame(bytes(640))[:100])
        elif turn % 5 == 4:
            client.send(b"\xff" * 20)
        else:
            client.send(frame(bytes(640)))
        client.kill() if turn % 2 else client.socket.close()


def crowd(server: Serving, times: int) -> float:
    begun_s = time.monotonic()
    threads = [threading.Thread(target=come_and_go, args=(server.port, times // 4)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert eventually(lambda: metric(server.get("/metrics")[1], "unmuffle_streams") == 0, 20.0)
    return time.monotonic() - begun_s


def test_connects_and_disconnects():
    with serving_process("--requests-per-minute", "100000") as server:
        process = server.process.pid
        crowd(server, 200)
        before, memory = held(process), resident_bytes(process)
        took_s = crowd(server, 1000)
        assert took_s < 60.0
        # Connections that were reset may be told of a moment later.
        assert eventually(lambda: held(process) <= before, 10.0), (held(process), before)
        assert resident_bytes(process) - memory < GROWTH_BYTES
        told = server.get("/metrics")[1]
        opened, closed = (metric(told, f"unmuffle_streams_{name}_total") for name in ("opened", "closed"))
        refused = metric(told, "unmuffle_streams_refused_total")
        assert opened == closed
        assert opened + refused == 1200
        assert not [line for line in server.log if line.get("level") == "error"]


def test_files_and_refusals():
    with serving_process("--requests-per-minute", "100000") as server:
        import httpx

        def send(times: int) -> None:
            with httpx.Client(base_url=server.url, timeout=60.0) as client:
                for body in (silent_flac(1.0, 8000), b"a letter"):
                    for _ in range(times):
                        assert client.post("/v1/enhance", content=body).status_code in (200, 415)
                for _ in range(5 * times):
                    assert client.get("/v1/jobs/none").status_code == 404

        process = server.process.pid
        send(40)
        before, memory = held(process), resident_bytes(process)
        send(100)
        assert eventually(lambda: held(process)[0] <= before[0] + 2, 10.0)
        assert resident_bytes(process) - memory < GROWTH_BYTES
        assert fetch(server.url + "/readyz")[0] == 200
