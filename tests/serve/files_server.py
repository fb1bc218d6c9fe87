"""A real server on a free port of this machine, in a thread, for tests of what happens to files."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import soundfile
import uvicorn

from unmuffle.serve.app import create_app
from unmuffle.serve.file_work import FileWork
from unmuffle.serve.settings import ServerSettings

RATE = 16_000


SERVER = """
import sys, uvicorn
from pathlib import Path
from unmuffle.serve.app import create_app
from unmuffle.serve.settings import ServerSettings
config = uvicorn.Config(create_app(ServerSettings(temp_dir=Path(sys.argv[1]))), port=0, log_level="warning")
server = uvicorn.Server(config)
started = server.startup
async def told(*arguments, **options):
    await started(*arguments, **options)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
server.startup = told
server.run()
"""


class FileServer:
    """A running server: its address, a client, and a look at its private folder."""

    def __init__(self, settings: ServerSettings, server: uvicorn.Server, work: FileWork, port: int) -> None:
        self.settings = settings
        self.server = server
        self.work = work
        self.port = port
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60.0)

    @property
    def leftovers(self) -> list[str]:
        """Folders of requests and jobs."""
        return sorted(path.name for path in self.work.folder.path.iterdir() if path.is_dir())

    def wait_until_clean(self, seconds: float = 15.0) -> None:
        wait_until(lambda: not self.leftovers, seconds, lambda: f"left behind: {self.leftovers}")


def wait_until(holds: Callable[[], bool], seconds: float, told: Callable[[], str] = lambda: "in vain") -> None:
    until_s = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until_s, told()
        time.sleep(0.02)


@contextlib.contextmanager
def running(folder: Path, **settings: object) -> Iterator[FileServer]:
    made = ServerSettings(temp_dir=folder, port=0, capacity=2, **settings)
    app = create_app(made)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started or not thread.is_alive(), 30.0)
    port = server.servers[0].sockets[0].getsockname()[1]
    running_server = FileServer(made, server, app.state.server.files, port)
    try:
        yield running_server
    finally:
        running_server.client.close()
        server.should_exit = True
        thread.join(30.0)
        assert not thread.is_alive()


@dataclass(frozen=True)
class Process:
    """What Linux tells of a process."""

    pid: int

    @property
    def _place(self) -> Path:
        return Path("/proc", str(self.pid))

    @property
    def _stat(self) -> list[str]:
        try:
            return (self._place / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return ["X", "0"]

    @property
    def is_alive(self) -> bool:
        return self._stat[0] not in "XZ"

    @property
    def cpu_ticks(self) -> int:
        return int(self._stat[11])

    @property
    def nice(self) -> int:
        return int(self._stat[16])

    @property
    def peak_bytes(self) -> int:
        lines = (self._place / "status").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

    @property
    def environment(self) -> str:
        return (self._place / "environ").read_text()

    def limit(self, name: str) -> str:
        """Return a soft limit."""
        lines = (self._place / "limits").read_text().splitlines()
        return next(line.removeprefix(name).split()[0] for line in lines if line.startswith(name))

    def end(self, number: int) -> None:
        os.kill(self.pid, number)
        wait_until(lambda: not self.is_alive, 5.0)


@contextlib.contextmanager
def process_running(folder: Path) -> Iterator[tuple[Process, httpx.Client]]:
    """A server in a process of its own, that may be killed."""
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        port = int(process.stdout.readline())
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60.0) as client:
            yield Process(process.pid), client
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def children(parent: int | None = None) -> list[Process]:
    """The processes that read files for a server."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        process = Process(int(place.name))
        with contextlib.suppress(OSError):
            if process._stat[1] == str(parent or os.getpid()) and b"media_child" in (place / "cmdline").read_bytes():
                found.append(process)
    return found


def silent_flac(seconds: float, rate: int = 48_000, *, told_samples: int | None = None) -> bytes:
    """Silence that takes next to no bytes; the header may tell another length, or 0 for none."""
    stored = io.BytesIO()
    with soundfile.SoundFile(stored, "w", rate, 1, format="FLAC", subtype="PCM_16") as file:
        block = np.zeros(rate * 10, np.int16)
        for start in range(0, round(seconds * rate), block.size):
            file.write(block[: round(seconds * rate) - start])
    data = bytearray(stored.getvalue())
    if told_samples is not None:
        # STREAMINFO begins at byte 8; 36 bits of the number of samples begin in the low half of its byte 13.
        data[21] = (data[21] & 0xF0) | (told_samples >> 32)
        data[22:26] = (told_samples & 0xFFFFFFFF).to_bytes(4, "big")
    return bytes(data)


def decoded(data: bytes) -> tuple[np.ndarray, int]:
    """[channels, samples] by a library that is not ours."""
    audio, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    return audio.T, rate
