"""A server on a free port for tests: in a thread of this process, or as ``unmuffle serve`` in one of its own."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from unmuffle.serve.server import DrainingServer, uvicorn_config
from unmuffle.serve.settings import ServerSettings
from unmuffle.serve.state import ServerState

START_S = 60.0
DEFAULTS = {"drain_s": 1.0, "capacity": 64, "on_overload": "keep"}
"""A machine that is busy with other tests would otherwise step down to what sounds different."""


@dataclass
class Running:
    """A server that runs in a thread."""

    url: str
    port: int
    state: ServerState
    server: DrainingServer

    def get(self, path: str) -> tuple[int, str]:
        """Return the status and the body of a page."""
        return fetch(self.url + path)


@contextmanager
def running_server(**settings: Any) -> Iterator[Running]:
    """Run a server in a thread; it is stopped at the end, as by a signal."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", settings.pop("port", 0)))
        port = listening.getsockname()[1]
        config, state = uvicorn_config(ServerSettings(**DEFAULTS | {"port": port} | settings))
        server = DrainingServer(config, state)
        failures: queue.Queue[BaseException] = queue.Queue()

        def run() -> None:
            try:
                asyncio.run(server.serve(sockets=[listening]))
            except BaseException as error:
                failures.put(error)

        thread = threading.Thread(target=run)
        thread.start()
        until_s = time.monotonic() + START_S
        while not server.started and thread.is_alive() and time.monotonic() < until_s:
            time.sleep(0.01)
        try:
            if not server.started:
                raise RuntimeError("the server did not start") from (None if failures.empty() else failures.get())
            yield Running(f"http://127.0.0.1:{port}", port, state, server)
        finally:
            server.handle_exit(signal.SIGTERM, None)
            thread.join(START_S)
    if not failures.empty():
        raise failures.get()


@dataclass
class Serving:
    """``unmuffle serve`` in a process of its own."""

    url: str
    port: int
    process: subprocess.Popen[str]
    log: list[dict[str, Any]]

    def get(self, path: str) -> tuple[int, str]:
        """Return the status and the body of a page."""
        return fetch(self.url + path)


@contextmanager
def serving_process(*options: str, before: Sequence[str] = ()) -> Iterator[Serving]:
    """Run the command, by another one if given; it is killed at the end if it has not ended by itself."""
    command = [sys.executable, "-m", "unmuffle", "serve", "--port", "0", "--capacity", "64", "--on-overload", "keep"]
    process = subprocess.Popen(
        [*before, *command, *options],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    log: list[dict[str, Any]] = []
    listening = threading.Event()

    def read() -> None:
        for line in process.stderr or ():
            log.append(json.loads(line) if line.startswith("{") else {"event": line.rstrip()})
            if log[-1]["event"] == "listening":
                listening.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        if not listening.wait(START_S):
            raise RuntimeError(f"the server did not start: {log}")
        port = next(line["port"] for line in log if line["event"] == "listening")
        serving = Serving(f"http://127.0.0.1:{port}", port, process, log)
        until_s = time.monotonic() + START_S
        while time.monotonic() < until_s and not _answers(serving):
            time.sleep(0.05)
        yield serving
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reader.join()
        if process.stderr is not None:
            process.stderr.close()


def fetch(url: str) -> tuple[int, str]:
    """Return the status and the body of a page."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def metric(text: str, name: str, **labels: str) -> float:
    """Return the sum of a metric over all lines of its name that have the labels."""
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    lines = [line for line in text.splitlines() if line.startswith((f"{name}{{", f"{name} "))]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if all(part in line for part in wanted))


def eventually(condition: Any, limit_s: float = 10.0) -> bool:
    """Return whether a condition comes true in time."""
    until_s = time.monotonic() + limit_s
    while time.monotonic() < until_s:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())


def _answers(serving: Serving) -> bool:
    try:
        return serving.get("/readyz")[0] == 200
    except OSError:
        return False
