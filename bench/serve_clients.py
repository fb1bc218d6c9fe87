"""WebSocket clients in a process of their own: each sends a frame of speech every 20 ms and times every answer.

An answer is due when the frame is due that completes its last hop: half of the latency that the server tells, and one,
is a hop, and the first sample of a hop is the one that depends on all of the latency.
A client's own lateness counts, too; it is told apart as ``lag``. Frames are masked by a key of zeros, which costs the
server what any other key does.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

FRAME_S = 0.02
START_S = 0.2


class StreamClient(asyncio.Protocol):
    """One live stream."""

    def __init__(self, frames: list[bytes], rate: int, first: int, times: ClientTimes) -> None:
        self._frames = frames
        self._rate = rate
        self._first = first
        self._times = times
        self._buffer = bytearray()
        self._latency: int | None = None
        self._begun_s = 0.0
        self._sent = 0
        self._upgraded = False
        self._loop = asyncio.get_running_loop()
        self.ended = False

    def connection_made(self, transport: Any) -> None:
        """Ask for a WebSocket."""
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        host = "{}:{}".format(*transport.get_extra_info("peername"))
        transport.write(
            f"GET /v1/stream HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Take answers."""
        self._buffer += data
        if not self._upgraded:
            head, found, rest = bytes(self._buffer).partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.split(b"\r\n")[0]:
                raise RuntimeError(f"the server refused: {head!r}")
            self._upgraded, self._buffer = True, bytearray(rest)
            hello = {"type": "hello", "sample_rate": self._rate, "format": "s16le"}
            self._write(0x81, json.dumps(hello).encode())
        self._take_frames()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Take note."""
        if not self.ended:
            self.ended = True
            self._times.lost += 1

    def leave(self) -> None:
        """Close."""
        self.ended = True
        self._transport.abort()

    def _take_frames(self) -> None:
        buffer, at = bytes(self._buffer), 0
        while len(buffer) - at >= 2:
            length, head = buffer[at + 1], 2
            if length == 126:
                head = 4
                length = int.from_bytes(buffer[at + 2 : at + 4], "big")
            elif length == 127:
                head = 10
                length = int.from_bytes(buffer[at + 2 : at + 10], "big")
            if len(buffer) - at < head + length:
                break
            self._understand(buffer[at] & 15, buffer[at + head : at + head + length])
            at += head + length
        del self._buffer[:at]

    def _understand(self, opcode: int, payload: bytes) -> None:
        if opcode == 2:
            self._time(payload)
        elif opcode == 9:
            self._write(0x8A, payload)
        elif opcode == 1:
            told = json.loads(payload)
            if told["type"] == "ready":
                self._latency = told["latency_samples"]
                self._begun_s = self._loop.time() + START_S
                self._loop.call_at(self._begun_s + FRAME_S, self._send)
            elif told["type"] == "error":
                self._times.errors.append(told["message"])

    def _time(self, payload: bytes) -> None:
        if self._latency is None:
            return
        now_s = self._loop.time()
        end = int.from_bytes(payload[:8], "little") + (len(payload) - 8) // 2
        hop = (self._latency + 1) // 2
        frame = (end - hop + self._latency) // round(FRAME_S * self._rate)
        self._times.late_s.append(now_s - (self._begun_s + (frame + 1) * FRAME_S))

    def _send(self) -> None:
        if self.ended:
            return
        due_s = self._begun_s + (self._sent + 1) * FRAME_S
        self._times.lag_s.append(self._loop.time() - due_s)
        self._transport.write(self._frames[(self._first + self._sent) % len(self._frames)])
        self._sent += 1
        self._loop.call_at(due_s + FRAME_S, self._send)

    def _write(self, first: int, payload: bytes) -> None:
        self._transport.write(masked_frame(first, payload))


class ClientTimes:
    """What the clients of a process have measured since they were last asked."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.late_s: list[float] = []
        self.lag_s: list[float] = []
        self.errors: list[str] = []
        self.lost = 0


def masked_frame(first: int, payload: bytes) -> bytes:
    """Return a whole frame of a client."""
    length = len(payload)
    if length < 126:
        head = bytes((first, 0x80 | length))
    elif length < 1 << 16:
        head = bytes((first, 0xFE)) + length.to_bytes(2, "big")
    else:
        head = bytes((first, 0xFF)) + length.to_bytes(8, "big")
    return head + bytes(4) + payload


def run_clients(pipe: Connection, port: int, rate: int, speech: np.ndarray, cores: list[int]) -> None:
    """Serve the commands of a pipe: ("add", n), ("remove", n), ("clear",), ("times",), ("end",)."""
    os.sched_setaffinity(0, cores)
    asyncio.run(_clients(pipe, port, rate, speech))


async def _clients(pipe: Connection, port: int, rate: int, speech: np.ndarray) -> None:
    size = round(FRAME_S * rate)
    frames = [masked_frame(0x82, speech[at : at + size].tobytes()) for at in range(0, len(speech) - size + 1, size)]
    times, clients, loop = ClientTimes(), [], asyncio.get_running_loop()
    random = np.random.default_rng(os.getpid())
    while True:
        while not pipe.poll():
            await asyncio.sleep(0.01)
        command, *arguments = pipe.recv()
        if command == "end":
            return
        if command == "add":
            for _ in range(arguments[0]):
                # At any phase of a frame.
                await asyncio.sleep(random.uniform(0.0, FRAME_S))
                first = int(random.integers(len(frames)))
                _, client = await loop.create_connection(
                    lambda first=first: StreamClient(frames, rate, first, times), "127.0.0.1", port
                )
                clients.append(client)
        elif command == "remove":
            for _ in range(arguments[0]):
                clients.pop().leave()
        elif command == "clear":
            times.clear()
        told = {"late_s": times.late_s, "lag_s": times.lag_s, "errors": times.errors[:3], "lost": times.lost}
        pipe.send((time.time(), told if command == "times" else None))
