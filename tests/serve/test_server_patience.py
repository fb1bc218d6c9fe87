"""Clients that say nothing, read nothing or are no longer there are given up after a while."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

import httpx
import pytest
from files_server import silent_flac
from live_server import eventually, metric, running_server
from raw_websocket import RawClient, frame

SILENT_S = 0.6


@pytest.fixture(scope="module")
def server():
    settings = {"hello_timeout_s": SILENT_S, "idle_timeout_s": SILENT_S, "slow_client_s": 1.0, "ping_interval_s": 60.0}
    with running_server(**settings) as running:
        yield running


def open_streams(server) -> float:
    return metric(server.get("/metrics")[1], "unmuffle_streams")


def test_a_stream_that_never_says_what_it_is(server):
    with RawClient(server.port, hello=None) as client:
        assert client.texts()[0]["code"] == "no_hello"


def test_a_stream_that_falls_silent(server):
    with RawClient(server.port) as client:
        client.send(frame(bytes(640)))
        told = client.texts()
    assert told[-1] == {"type": "error", "code": "idle", "message": "nothing came for 0.6 s"}
    assert eventually(lambda: open_streams(server) == 0)


def test_a_client_that_does_not_read_is_held_back_and_then_dropped(server):
    """What the server takes from it is bounded, long before it is dropped."""
    with RawClient(server.port, receive_buffer=4096) as client:
        second, sent = frame(bytes(32_000)), 0
        client.socket.settimeout(0.2)
        until_s = time.monotonic() + 20.0
        while time.monotonic() < until_s:
            try:
                sent += client.socket.send(second)
            except TimeoutError:
                if open_streams(server) == 0:
                    break
            except ConnectionError:
                break
        assert sent < 64 << 20
    assert eventually(lambda: open_streams(server) == 0)


def test_a_client_that_is_no_longer_there():
    """Half-open: nothing comes any more, not even an answer to a ping."""
    with running_server(ping_interval_s=0.3, idle_timeout_s=60.0) as server, RawClient(server.port) as client:
        assert open_streams(server) == 1
        assert eventually(lambda: open_streams(server) == 0, 5.0)
        assert client.close_code() == 1011


def test_a_request_that_never_gets_to_its_point(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10.0) as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        begun_s = time.monotonic()
        with suppress(ConnectionError):
            assert slow.recv(100) == b""
        assert SILENT_S < time.monotonic() - begun_s < 5.0


def test_an_upload_that_stops(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10.0) as upload:
        upload.sendall(
            f"POST /v1/enhance HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Length: 1000\r\n\r\nRIFF".encode()
        )
        assert upload.recv(4096).split(b" ")[1] == b"408"


def test_an_upload_that_never_stops_and_never_ends(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10.0) as upload:
        head = f"POST /v1/enhance HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Length: 1000000\r\n\r\n"
        upload.sendall(head.encode())
        begun_s = time.monotonic()
        with suppress(OSError):
            while time.monotonic() - begun_s < 3.0 * SILENT_S:
                upload.sendall(b"RIFF")
                time.sleep(0.05)
        answer = upload.recv(4096)
        assert answer.split(b" ")[1] == b"408"
        assert b"less than 1000 bytes a second" in answer


def test_an_upload_that_is_slow_but_not_that_slow_is_taken(server):
    body = silent_flac(60.0)
    pieces = (body[at : at + 200] for at in range(0, len(body), 200))

    def slowly():
        for piece in pieces:
            time.sleep(0.1)
            yield piece

    assert len(body) / 200 * 0.1 > 2.0 * SILENT_S
    assert httpx.post(f"{server.url}/v1/enhance", content=slowly(), timeout=60.0).status_code == 200
