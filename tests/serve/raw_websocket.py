"""A WebSocket client that may break every rule: it sends the bytes it is told to."""

from __future__ import annotations

import base64
import json
import os
import socket
import struct

HELLO = {"type": "hello", "sample_rate": 16_000}


class RawClient:
    """A connection to /v1/stream."""

    def __init__(self, port: int, *, headers: str = "", hello: dict | None = HELLO, receive_buffer: int = 0) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(20.0)
        self.socket.connect(("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n".encode()
        )
        head = b""
        while b"\r\n\r\n" not in head:
            more = self.socket.recv(4096)
            if not more:
                break
            head += more
        self.status = int(head.split(b" ")[1])
        self.rest = head.partition(b"\r\n\r\n")[2]
        if hello is not None and self.status == 101:
            self.send(frame(json.dumps(hello).encode(), opcode=1))
            self.ready = json.loads(self.receive()[1])

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def receive(self) -> tuple[int, bytes]:
        """Return the opcode and the payload of the next frame; opcode -1 if the connection has ended."""
        try:
            first, second = self._exactly(2)
            length = second & 127
            if length >= 126:
                length = int.from_bytes(self._exactly(2 if length == 126 else 8), "big")
            return first & 15, self._exactly(length)
        except (EOFError, ConnectionError):
            return -1, b""

    def close_code(self) -> int:
        """Read up to the end, and return with which code the server closed; 1006 if with none."""
        while True:
            opcode, payload = self.receive()
            if opcode == -1:
                return 1006
            if opcode == 8:
                return int.from_bytes(payload[:2], "big")

    def texts(self) -> list[dict]:
        """Read up to the end, and return the text messages."""
        told = []
        while True:
            opcode, payload = self.receive()
            if opcode == 1:
                told.append(json.loads(payload))
            if opcode in (-1, 8):
                return told

    def kill(self) -> None:
        """Go as a process that is killed: the other side gets a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_error: object) -> None:
        self.socket.close()

    def _exactly(self, count: int) -> bytes:
        while len(self.rest) < count:
            more = self.socket.recv(65_536)
            if not more:
                raise EOFError
            self.rest += more
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken


def frame(payload: bytes, opcode: int = 2, *, fin: bool = True, mask: bytes | None = b"\x11\x22\x33\x44") -> bytes:
    """Return a frame as a client sends it, or without a mask as it must not."""
    length, masked = len(payload), 0 if mask is None else 0x80
    head = bytes(((0x80 if fin else 0) | opcode,))
    if length < 126:
        head += bytes((masked | length,))
    elif length < 1 << 16:
        head += bytes((masked | 126,)) + length.to_bytes(2, "big")
    else:
        head += bytes((masked | 127,)) + length.to_bytes(8, "big")
    if mask is None:
        return head + payload
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
