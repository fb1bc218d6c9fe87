"""Runs the application under uvicorn: one process or several, each of which stops without losing audio.

Several workers share one listening socket: whoever is free takes the next connection. They share nothing else but a
folder in which they tell each other their metrics; limits and pools are each worker's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from unmuffle.errors import UnmuffleError
from unmuffle.serve.app import create_app
from unmuffle.serve.direct import DirectProtocol
from unmuffle.serve.logs import configure_logging, log
from unmuffle.serve.metrics import PREFIX
from unmuffle.serve.settings import ServerSettings
from unmuffle.serve.start_check import check_start
from unmuffle.serve.state import REST_S, ServerState
from unmuffle.serve.stream_protocol import MAX_MESSAGE_BYTES

BACKLOG = 1024
LONGEST_HOLD_OF_THE_INTERPRETER_S = 0.001
"""The event loop and the pool's thread take turns more often than Python's 5 ms, a quarter of a frame's time."""

RESTART_PAUSE_S = 0.5
LOOK_EVERY_S = 0.1
END_S = 5.0


class DrainingServer(uvicorn.Server):
    """Ends when told once, after all that runs has been answered; when told twice, sooner."""

    def __init__(self, config: uvicorn.Config, state: ServerState) -> None:
        super().__init__(config)
        self._state = state
        self._idle_since_s: dict[int, float] = {}

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Take a signal; unlike uvicorn's own, it does not end the process once more when all is done."""
        self._state.hurry = self.should_exit
        self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Look after the server ten times a second: here, after those who do not say what they want."""
        now_s = time.monotonic()
        waiting = {id(connection): connection for connection in self.server_state.connections if _is_idle(connection)}
        self._idle_since_s = {key: self._idle_since_s.get(key, now_s) for key in waiting}
        for key, since_s in self._idle_since_s.items():
            if now_s - since_s > self._state.settings.hello_timeout_s:
                waiting[key].transport.abort()
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, with all that was loaded for it out of the way."""
        await super().startup(sockets)
        # It stays; to look through it for garbage, again and again, would hold up every stream for 20 ms.
        gc.collect()
        gc.freeze()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what runs, still listening, so that /readyz tells that nothing new is wanted; then stop."""
        log("draining", streams=self._state.streams.count, seconds=self._state.settings.drain_s)
        await self._state.drain()
        await super().shutdown(sockets)
        log("stopped")


def _is_idle(connection: Any) -> bool:
    """Whether a connection is one of HTTP on which no request is being answered."""
    return hasattr(connection, "cycle") and (connection.cycle is None or connection.cycle.response_complete)


def uvicorn_config(settings: ServerSettings) -> tuple[uvicorn.Config, ServerState]:
    """Return the settings for uvicorn, and the state of the application that it is to run."""
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        ws=DirectProtocol,
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_ping_interval=settings.ping_interval_s,
        ws_ping_timeout=settings.ping_interval_s,
        # Samples hardly shrink, and it costs more than the network.
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        lifespan="on",
        proxy_headers=settings.trust_proxy,
        server_header=False,
        timeout_graceful_shutdown=round(END_S),
        backlog=BACKLOG,
    )
    return config, app.state.server


def serve(settings: ServerSettings) -> None:
    """Listen until told to stop.

    Raises
    ------
    UnmuffleError
        If the address cannot be had, or the server cannot start.
    """
    check_start(settings)
    listening = _listen(settings.host, settings.port)
    port = listening.getsockname()[1]
    configure_logging(settings.worker)
    log("listening", host=settings.host, port=port, workers=settings.workers, capacity=settings.capacity)
    with listening:
        if settings.workers == 1:
            run_worker(settings, listening)
            return
        with tempfile.TemporaryDirectory(prefix="unmuffle-workers-") as folder:
            _supervise(replace(settings, run_dir=Path(folder)), listening)


def run_worker(settings: ServerSettings, listening: socket.socket) -> None:
    """Serve on a socket that listens, in this process, until told to stop."""
    configure_logging(settings.worker)
    sys.setswitchinterval(LONGEST_HOLD_OF_THE_INTERPRETER_S)
    config, state = uvicorn_config(settings)
    server = DrainingServer(config, state)
    try:
        asyncio.run(server.serve(sockets=[listening]))
    except SystemExit:
        raise UnmuffleError("the server could not start; its log, above, says why") from None


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise UnmuffleError(f"cannot listen on {host} port {port}: {error.strerror or error}") from None
    listening.set_inheritable(True)
    return listening


def _supervise(settings: ServerSettings, listening: socket.socket) -> None:
    """Keep all workers running; hand on the signal that ends them."""
    workers: dict[int, BaseProcess] = {}
    with _signals() as told:
        while not told:
            for number in range(settings.workers):
                old = workers.get(number)
                if old is None or not old.is_alive():
                    if old is not None:
                        log("a worker ended by itself and is replaced", number=number, exit_code=old.exitcode)
                        _forget_metrics(settings, number)
                        time.sleep(RESTART_PAUSE_S)
                    workers[number] = _start(replace(settings, worker=number), listening)
            time.sleep(LOOK_EVERY_S)
        _end(list(workers.values()), settings.drain_s + REST_S + 2 * END_S, told)


def _start(settings: ServerSettings, listening: socket.socket) -> BaseProcess:
    process = multiprocessing.get_context("spawn").Process(target=_work, args=(settings, listening))
    process.start()
    return process


def _work(settings: ServerSettings, listening: socket.socket) -> None:
    """Be a worker, as long as there is somebody to end it."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    run_worker(settings, listening)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _end(workers: list[BaseProcess], limit_s: float, told: list[int]) -> None:
    sent, until_s = 0, time.monotonic() + limit_s
    while any(worker.is_alive() for worker in workers):
        for _ in range(sent, min(len(told), 2)):
            for worker in workers:
                worker.terminate()
            sent += 1
        if time.monotonic() > until_s:
            for worker in workers:
                worker.kill()
        time.sleep(LOOK_EVERY_S)
    for worker in workers:
        worker.join()


@contextlib.contextmanager
def _signals() -> Iterator[list[int]]:
    """Collect the signals that end a server, instead of dying of them."""
    told: list[int] = []
    before = {
        number: signal.signal(number, lambda got, _frame: told.append(got))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _forget_metrics(settings: ServerSettings, number: int) -> None:
    if settings.run_dir is not None:
        with contextlib.suppress(OSError):
            (settings.run_dir / f"{PREFIX}{number}.json").unlink()
