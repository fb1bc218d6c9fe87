"""How many live streams one core carries, all included: HTTP server, WebSockets, batching, network.

The server runs as users run it, pinned to one core; the clients run in other processes on the other cores, and send
20 ms frames of recorded speech in real time. Streams are added in steps until the 99th percentile of (answer time -
due time) passes 20 ms, then, from the step before, one at a time. Where the clients themselves lag, the step says so.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from bench.serve_clients import FRAME_S, run_clients
from unmuffle.jobs.one_thread import ONE_THREAD

RATES_HZ = (16_000, 48_000)
LIMIT_S = 0.02
SPEECH = Path(__file__).parent.parent / "examples" / "noisy.flac"
MOST = 512
SHARE_AT_EASE, SHARE_OF_SOAK = 0.8, 0.7
LONG = {"step": 10, "fine": 1, "settle_s": 2.0, "measure_s": 10.0}
SHORT = {"step": 20, "fine": 5, "settle_s": 1.0, "measure_s": 3.0}


def measure(*, short: bool = False) -> dict[str, Any]:
    """Return the capacity at each rate, and the latency at 80 % of it."""
    plan = SHORT if short else LONG
    rates = {}
    for rate in RATES_HZ:
        with serving() as server, clients_of(server, rate) as clients:
            rates[str(rate)] = _capacity(server, clients, plan)
        print(f"  {rate} Hz: {rates[str(rate)]['streams']} streams", flush=True)
    return {"rates": rates, "limit_ms": 1e3 * LIMIT_S, "frame_ms": 1e3 * FRAME_S, **plan}


def soak(minutes: float, capacity: dict[str, Any]) -> dict[str, Any]:
    """Return how the server does at 70 % of its capacity for so long: memory, misses and latency every minute.

    Parameters
    ----------
    minutes : float
    capacity : dict
        What ``measure`` has returned.
    """
    rate = RATES_HZ[0]
    streams = int(SHARE_OF_SOAK * capacity["rates"][str(rate)]["streams"])
    rows: list[dict[str, Any]] = []
    with serving() as server, clients_of(server, rate) as clients:
        clients.add(streams)
        time.sleep(5.0)
        misses = server.number("unmuffle_deadline_misses_total")
        until_s = time.monotonic() + 60.0 * minutes
        while time.monotonic() < until_s:
            row = clients.measured(min(60.0, 60.0 * minutes / 4))
            row |= {"rss_mb": server.memory_mb(), "misses": server.number("unmuffle_deadline_misses_total") - misses}
            rows.append(row)
            print(f"  {row}", flush=True)
    return {"minutes": minutes, "streams": streams, "rate_hz": rate, "rows": rows}


def _capacity(server: Server, clients: Clients, plan: dict[str, Any]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = []
    carried = _grow(server, clients, plan, plan["step"], steps)
    clients.set(carried)
    time.sleep(plan["settle_s"])
    carried = _grow(server, clients, plan, plan["fine"], steps)
    at_ease = int(SHARE_AT_EASE * carried)
    clients.set(at_ease)
    time.sleep(plan["settle_s"])
    eased = clients.measured(plan["measure_s"]) | {"cpu": server.cpu_share(), "streams": at_ease}
    return {"streams": carried, "at_ease": eased, "steps": steps, "rss_mb": server.memory_mb()}


def _grow(server: Server, clients: Clients, plan: dict[str, Any], by: int, steps: list[dict[str, Any]]) -> int:
    """Add streams until they are too many; return the last number that was carried."""
    carried = clients.count
    while clients.count + by <= MOST:
        clients.add(by)
        time.sleep(plan["settle_s"])
        server.cpu_share()
        step = clients.measured(plan["measure_s"]) | {"streams": clients.count, "cpu": server.cpu_share()}
        step |= {"misses": server.number("unmuffle_deadline_misses_total")}
        steps.append(step)
        print(f"    {step}", flush=True)
        if step["p99_ms"] > 1e3 * LIMIT_S or step["lost"]:
            break
        carried = clients.count
    return carried


class Clients:
    """Processes of clients, among which the streams are shared out."""

    def __init__(self, pipes: list[Any]) -> None:
        self._pipes = pipes
        self._counts = [0] * len(pipes)

    @property
    def count(self) -> int:
        """How many streams there are."""
        return sum(self._counts)

    def add(self, streams: int) -> None:
        """Open streams."""
        more = [0] * len(self._pipes)
        for _ in range(streams):
            least = int(np.argmin(np.add(self._counts, more)))
            more[least] += 1
        self._all("add", more)
        self._counts = [count + extra for count, extra in zip(self._counts, more, strict=True)]

    def set(self, streams: int) -> None:
        """Close streams until there are so many."""
        while self.count > streams:
            most = int(np.argmax(self._counts))
            self._counts[most] -= 1
            self._pipes[most].send(("remove", 1))
            self._pipes[most].recv()

    def measured(self, seconds: float) -> dict[str, Any]:
        """Return percentiles of what is measured in so many seconds."""
        self._all("clear")
        time.sleep(seconds)
        told = [answer for _, answer in self._all("times")]
        late_ms = 1e3 * np.array([value for part in told for value in part["late_s"]] or [np.inf])
        lag_ms = 1e3 * np.array([value for part in told for value in part["lag_s"]] or [np.inf])
        return {
            "answers": len(late_ms),
            "p50_ms": round(float(np.percentile(late_ms, 50)), 2),
            "p99_ms": round(float(np.percentile(late_ms, 99)), 2),
            "most_ms": round(float(late_ms.max()), 2),
            "clients_lag_p99_ms": round(float(np.percentile(lag_ms, 99)), 2),
            "lost": sum(part["lost"] for part in told),
            "errors": [message for part in told for message in part["errors"]][:3],
        }

    def _all(self, command: str, numbers: list[int] | None = None) -> list[Any]:
        for index, pipe in enumerate(self._pipes):
            pipe.send((command,) if numbers is None else (command, numbers[index]))
        return [pipe.recv() for pipe in self._pipes]


@dataclass
class Server:
    """``unmuffle serve`` on one core."""

    process: subprocess.Popen[str]
    port: int
    core: int
    others: list[int]
    _cpu: tuple[float, float] = (0.0, 0.0)

    def number(self, name: str) -> float:
        """Return one of its metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{name}{{"))

    def memory_mb(self) -> float:
        """Return what it holds in memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return round(int(status.partition("VmRSS:")[2].split()[0]) / 1024, 1)

    def cpu_share(self) -> float:
        """Return its share of the core since it was last asked."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        now, before = time.monotonic(), self._cpu
        self._cpu = (used, now)
        return round((used - before[0]) / max(1e-9, now - before[1]), 3)


@contextmanager
def serving(*options: str) -> Iterator[Server]:
    """Run a server, pinned to the last core that this process may use."""
    *others, core = sorted(os.sched_getaffinity(0))
    command = [sys.executable, "-m", "unmuffle", "serve", "--port", "0", "--capacity", str(MOST)]
    command += ["--on-overload", "keep", "--requests-per-minute", "100000", "--drain-s", "0", *options]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=os.environ | ONE_THREAD, start_new_session=True
    ) as process:
        os.sched_setaffinity(process.pid, {core})
        lines: list[str] = []
        for line in process.stderr or ():
            lines.append(line)
            if '"listening"' in line:
                break
        else:
            raise RuntimeError("".join(lines))
        server = Server(process, json.loads(line)["port"], core, others or [core])
        # What else it has to tell must not fill the pipe.
        threading.Thread(target=process.stderr.read if process.stderr else None, daemon=True).start()
        _wait_until_ready(server)
        try:
            yield server
        finally:
            process.terminate()
            process.wait(30.0)


def _wait_until_ready(server: Server) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/readyz"):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server does not become ready")


@contextmanager
def clients_of(server: Server, rate: int) -> Iterator[Clients]:
    """Run client processes, one a core that the server does not have."""
    speech, given = soundfile.read(SPEECH, dtype="float32", always_2d=True)
    samples = (32_767 * np.clip(soxr.resample(speech[:, 0], given, rate), -1.0, 1.0)).astype("<i2")
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for core in server.others:
        near, far = context.Pipe()
        process = context.Process(target=run_clients, args=(far, server.port, rate, samples, [core]))
        process.start()
        pipes.append(near)
        processes.append(process)
    try:
        yield Clients(pipes)
    finally:
        for pipe, process in zip(pipes, processes, strict=True):
            pipe.send(("end",))
            process.join(10.0)
