"""A client that goes away, in whatever moment, leaves nothing behind and disturbs nobody."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator

import pytest
from files_server import FileServer, children, running, silent_flac, wait_until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    with running(tmp_path_factory.mktemp("serve"), idle_timeout_s=2.0, slow_client_s=1.0, max_jobs=1) as found:
        yield found


def connection(server: FileServer, path: str, length: int, *, receive_bytes: int | None = None) -> socket.socket:
    client = socket.socket()
    if receive_bytes is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    client.connect(("127.0.0.1", server.port))
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    client.sendall(head.encode())
    return client


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@pytest.mark.parametrize("path", ["/v1/enhance", "/v1/analyze", "/v1/jobs"])
@pytest.mark.parametrize("end", [reset, socket.socket.close])
def test_in_the_middle_of_an_upload(server, path, end):
    client = connection(server, path, 1_000_000)
    client.sendall(b"RIFF" * 1000)
    wait_until(lambda: server.leftovers != [], 5.0)
    end(client)
    server.wait_until_clean()
    wait_until(lambda: server.work.unfinished() == 0, 5.0)


def test_an_upload_that_stops_is_given_up(server):
    client = connection(server, "/v1/enhance", 1_000_000)
    client.sendall(b"RIFF")
    client.settimeout(6.0)
    assert client.recv(4096).startswith(b"HTTP/1.1 408 ")
    server.wait_until_clean()
    client.close()


def test_an_upload_of_untold_length_is_refused_as_soon_as_it_is_too_large(tmp_path):
    with running(tmp_path, max_upload_bytes=1_000_000) as small:
        client = socket.create_connection(("127.0.0.1", small.port), timeout=10.0)
        client.sendall(b"POST /v1/enhance HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(11):
            client.sendall(b"186a0\r\n" + b"x" * 100_000 + b"\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 413 ")
        client.close()
        small.wait_until_clean()


def test_while_the_file_is_worked_on(server):
    body = silent_flac(1800.0)
    client = connection(server, "/v1/enhance", len(body))
    client.sendall(body)
    wait_until(lambda: any(name.startswith("request-") for name in server.leftovers), 5.0)
    time.sleep(0.5)
    busy = max(children(), key=lambda child: child.cpu_ticks)
    reset(client)
    server.wait_until_clean()
    wait_until(lambda: server.work.unfinished() == 0, 5.0)
    wait_until(lambda: not busy.is_alive, 5.0)
    assert server.client.post("/v1/enhance", content=silent_flac(1.0)).status_code == 200


@pytest.mark.parametrize("leaves", [True, False], ids=["leaves", "reads no more"])
def test_in_the_middle_of_the_answer(server, leaves):
    # The answer is much larger than what sockets hold, and nobody reads it.
    body = silent_flac(100.0)
    client = connection(server, "/v1/enhance", len(body), receive_bytes=4096)
    client.sendall(body)
    client.settimeout(20.0)
    assert client.recv(100).startswith(b"HTTP/1.1 200 ")
    assert server.leftovers != []
    if leaves:
        reset(client)
    server.wait_until_clean()
    client.close()


def test_while_others_are_served(server):
    clients = [connection(server, "/v1/enhance", 1_000_000) for _ in range(3)]
    for client in clients:
        client.sendall(b"RIFF" * 100)
    assert server.client.post("/v1/enhance", content=silent_flac(1.0)).status_code == 200
    for client in clients:
        reset(client)
    server.wait_until_clean()


def test_more_than_can_be_worked_on_soon_are_told_when_to_come_again(server):
    clients = [connection(server, "/v1/enhance", 1_000_000) for _ in range(5)]
    for client in clients:
        client.sendall(b"RIFF" * 100)
    wait_until(lambda: server.work.unfinished() == 5, 5.0)
    answer = server.client.post("/v1/enhance", content=silent_flac(1.0))
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    for client in clients:
        reset(client)
    wait_until(lambda: server.work.unfinished() == 0, 5.0)
