"""uvicorn's WebSocket protocol with a short way for live audio: whole binary frames go straight to the session.

Everything else (handshake, control frames, text, fragments, faults) is left to the library ``websockets``, which is
given whole frames only. Frames: RFC 6455, section 5.2.
"""

from __future__ import annotations

import socket
from asyncio import BaseTransport
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from unmuffle.serve.stream_session import StreamSession, give

try:
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask

EXTENSION = "unmuffle.direct"
"""Under ``scope["extensions"]``: the ``DirectProtocol`` of the connection."""

_BINARY = 0x82
_FIN, _OPCODE, _CONTROL, _MASKED, _LENGTH = 0x80, 0x0F, 0x08, 0x80, 0x7F
_MASK_BYTES = 4


class DirectProtocol(WebSocketsSansIOProtocol):
    """A connection, whose messages go to ``session`` once there is one."""

    session: StreamSession | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._upgraded = False
        self._in_fragments = False
        self._partial = bytearray()

    def connection_made(self, transport: BaseTransport) -> None:
        """Have every answer sent at once.

        asyncio sees to it only where a socket was made with its protocol named; else one answer in two waits for the
        client's next frame (Nagle's algorithm).
        """
        super().connection_made(transport)
        connected = transport.get_extra_info("socket")
        if connected is not None and connected.family in (socket.AF_INET, socket.AF_INET6):
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def attach(self, session: StreamSession) -> None:
        """Give all further messages to a session, and first those that have come meanwhile."""
        waiting = []
        while not self.queue.empty():
            waiting.append(self.queue.get_nowait())
        self.session = session
        for message in waiting:
            if message["type"] == "websocket.receive":
                give(session, message)
            else:
                self.queue.put_nowait(message)
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def handle_connect(self, event: Request) -> None:
        """Tell the application that there is a short way."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            extensions: Any = self.scope["extensions"]
            extensions[EXTENSION] = self

    def data_received(self, data: bytes) -> None:
        """Take what has come: first the request, as uvicorn hands it over, then frames or parts of them."""
        if not self._upgraded:
            self._upgraded = True
            super().data_received(data)
            return
        if self._partial:
            self._partial += data
            if len(self._partial) < _frame_at(self._partial, 0, self.config.ws_max_size)[1]:
                return
            data = bytes(self._partial)
            self._partial.clear()
        taken = self._take_frames(data)
        if taken < len(data):
            self._partial += data[taken:]

    def send_receive_event_to_app(self) -> None:
        """Give a message that ``websockets`` has put together to the session, if there is one."""
        if self.session is None or self.close_sent:
            super().send_receive_event_to_app()
            return
        data, self.frames = b"".join(self.frames), []
        if self.curr_msg_data_type == "bytes":
            self.session.receive_bytes(data)
            return
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self.conn.fail(1007, "not UTF-8")
            self.handle_parser_exception()
            return
        self.session.receive_text(text)

    def write_frame(self, message: bytes | str) -> None:
        """Send a message; a server's frames are not masked."""
        if self.close_sent or self.transport.is_closing():
            return
        opcode = 0x81 if isinstance(message, str) else _BINARY
        payload = message.encode() if isinstance(message, str) else message
        length = len(payload)
        if length < 126:
            head = bytes((opcode, length))
        elif length < 1 << 16:
            head = bytes((opcode, 126)) + length.to_bytes(2, "big")
        else:
            head = bytes((opcode, 127)) + length.to_bytes(8, "big")
        self.transport.write(head + payload)

    def _take_frames(self, data: bytes) -> int:
        """Take all whole frames; return how many bytes they were."""
        at, size, most = 0, len(data), self.config.ws_max_size
        while at < size and not self.transport.is_closing():
            payload_at, end = _frame_at(data, at, most)
            if end > size:
                return at
            direct = payload_at > 0 and data[at] == _BINARY and not self._in_fragments and not self.close_sent
            if direct and self.session is not None:
                mask = data[payload_at - _MASK_BYTES : payload_at]
                self.session.receive_bytes(apply_mask(data[payload_at:end], mask))
            else:
                self._give_library(data[at:end])
            at = end
        return size

    def _give_library(self, frame: bytes) -> None:
        if not frame[0] & _CONTROL:
            self._in_fragments = not frame[0] & _FIN
        super().data_received(frame)


def _frame_at(data: bytes | bytearray, at: int, most: int) -> tuple[int, int]:
    """Return where the payload of a frame begins, and where it ends: beyond the data if not all of it is there.

    A frame that breaks the rules, by no mask or by its length, has its payload at 0 and ends where the data ends:
    ``websockets`` refuses it by its head.
    """
    size = len(data)
    if size - at < 2:
        return 0, at + 2
    length = data[at + 1] & _LENGTH
    head = at + (10 if length == 127 else 4 if length == 126 else 2)
    if size < head:
        return 0, head
    if length >= 126:
        length = int.from_bytes(data[at + 2 : head], "big")
    if length > most or not data[at + 1] & _MASKED:
        return 0, size
    payload_at = head + _MASK_BYTES
    return payload_at, payload_at + length
